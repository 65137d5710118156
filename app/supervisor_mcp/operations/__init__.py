"""What the service does, one module per noun; REST and MCP call these functions."""
