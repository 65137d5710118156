"""Loops beside requests: leases, the prober, and what it makes of remotes."""
