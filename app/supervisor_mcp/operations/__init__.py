"""What the service can do, one module per noun; REST, MCP and the command line call these."""
