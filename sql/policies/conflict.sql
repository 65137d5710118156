-- Conflicts: kept long enough to ask the source about them.
select remove_retention_policy('data.conflict', if_exists => true);
select add_retention_policy('data.conflict', drop_after => interval '90 days');
