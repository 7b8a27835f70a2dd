"""One module per command; each has `run(flags) -> exit code`."""
