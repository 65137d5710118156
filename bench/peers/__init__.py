"""The service beside its peers: `python -m bench.peers`, the same rows and questions for each."""
