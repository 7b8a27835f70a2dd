"""All that speaks to WeChat: calls, tokens, and what WeChat's error codes mean."""
