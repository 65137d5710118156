-- Snapshots: how far as_of reaches back.
call internal.set_default_retention('data.aggregate', '400 days');
call internal.set_default_columnstore('data.aggregate', '8 days');
call internal.set_default_job('snapshot_aggregates', '1 hour', '{"windows": ["7d", "30d"]}');
