"""Supervisor MCP: what is known about an ecosystem of MCP servers."""
