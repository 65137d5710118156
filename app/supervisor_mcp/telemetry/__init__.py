"""What the service reports about itself: counts of requests and deliveries, and its log."""
