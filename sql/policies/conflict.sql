-- Conflicts: long enough to ask the source.
select remove_retention_policy('data.conflict', if_exists => true);
select add_retention_policy('data.conflict', drop_after => interval '90 days');
