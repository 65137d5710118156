"""The MCP server: the operations as tools, resources and prompts."""
