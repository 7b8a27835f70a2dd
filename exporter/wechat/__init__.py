"""WeChat: calls, tokens, platforms, and what WeChat's error codes mean."""
