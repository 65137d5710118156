create or replace function internal.retention(p_relation name) returns interval
language sql stable
begin atomic
    select coalesce(min((config ->> 'drop_after')::interval), interval '1000 years')
    from timescaledb_information.jobs
    where
        proc_name = 'policy_retention'
        and hypertable_schema = 'data'
        and hypertable_name = p_relation;
end;
comment on function internal.retention(name) is
'The retention policy of a hypertable or continuous aggregate of data; 1000 years without one.';
