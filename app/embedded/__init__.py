"""Start the embedded TimescaleDB and Valkey; nothing else knows of them."""
