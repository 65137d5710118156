-- Reports of health: intervals keep for years what became of them.
call internal.set_default_retention('data.health_report', '30 days');
call internal.set_default_columnstore('data.health_report', '2 days');
-- What callers see: the duration of calls as the semantic conventions of OpenTelemetry for MCP name it.
call internal.set_default_job(
    'observe_traffic', '1 minute',
    '{
        "metric": "mcp.server.operation.duration",
        "failed": "$.\"error.type\"",
        "window": "5 minutes",
        "degraded": 0.05,
        "down": 0.5,
        "least_calls": 10
    }'
);
