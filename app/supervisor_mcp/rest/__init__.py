"""REST: Falcon resources per noun over the operations."""
