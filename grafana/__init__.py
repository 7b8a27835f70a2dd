"""The Grafana dashboards as code, the JSON made from it, and files that provision them."""
