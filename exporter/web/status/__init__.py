"""The status page: the exporter's state for people, in English and Chinese."""
