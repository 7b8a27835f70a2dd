"""The pages for people; what the code knows better is written by `python -m docs.generate`."""
