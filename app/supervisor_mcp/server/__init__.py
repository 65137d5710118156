"""The process that serves REST and MCP: composition, middleware, workers, start."""
