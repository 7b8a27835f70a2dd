"""WeChat's tables, one file each; `catalogue` lists them."""
