"""The status page: what the exporter has on show, for people, in English and Chinese."""
