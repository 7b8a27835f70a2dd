"""WeChat's tables, one module each; `catalogue` lists them."""
