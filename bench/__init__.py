"""Benchmarks: `python -m bench` on the embedded servers."""
