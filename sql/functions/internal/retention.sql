create or replace function internal.retention(p_relation name) returns interval
language plpgsql stable
as $$
begin
    return coalesce(
        (
            select min((config ->> 'drop_after')::interval)
            from timescaledb_information.jobs
            where
                proc_name = 'policy_retention'
                and hypertable_schema = 'data'
                and hypertable_name = p_relation
        ),
        interval '1000 years'
    );
end
$$;
comment on function internal.retention(name) is
'The retention policy of a hypertable or continuous aggregate of data; 1000 years without one.';
