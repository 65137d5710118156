"""What the service reports about itself: counts of requests, and its log."""
