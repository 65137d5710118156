"""Loops that talk to the outside and so cannot be database jobs; none yet."""
