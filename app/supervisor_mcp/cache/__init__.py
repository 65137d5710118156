"""Finished aggregates in Redis."""
