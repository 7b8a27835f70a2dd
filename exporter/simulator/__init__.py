"""A stand-in WeChat on loopback: the documented rules, believable data, switchable faults."""
