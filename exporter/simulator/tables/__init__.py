"""What each of WeChat's tables holds for an app: figures that agree with one another and never change."""
