"""The web server: serves what is ready, and never calls WeChat."""
