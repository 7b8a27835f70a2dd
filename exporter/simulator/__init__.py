"""A stand-in WeChat on loopback: documented rules, plausible data, switchable faults."""
