"""From the credentials of a request to an identity, for REST and MCP alike."""
