-- Changes of kinds: every process of the service reads them once a second.
select remove_retention_policy('data.kind_change', if_exists => true);
select add_retention_policy(
    'data.kind_change', drop_after => interval '1 hour', schedule_interval => interval '1 hour'
);
