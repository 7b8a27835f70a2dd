"""WeChat: its calls, tokens, platforms and error codes."""
