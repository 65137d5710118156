"""What proves who sends a request."""
