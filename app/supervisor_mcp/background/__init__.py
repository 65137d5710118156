"""Loops beside requests, for what no database job can do; `running` starts and stops them."""
