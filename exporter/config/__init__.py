"""The configuration file: YAML in, frozen settings out, every mistake named with file and line."""

from exporter.config.loading import load
from exporter.config.problems import ConfigError

__all__ = ["ConfigError", "load"]
