"""What is right, as plain arithmetic that knows neither commands nor devices."""
