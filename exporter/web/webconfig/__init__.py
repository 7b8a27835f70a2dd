"""`--web.config.file`: TLS, basic authentication, headers and a rate limit, in exporter-toolkit's format.

Source of the format: https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md
"""
