"""Kill the service in every manner, and count what it acknowledged."""
