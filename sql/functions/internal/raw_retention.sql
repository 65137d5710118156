create or replace function internal.raw_retention() returns interval
language plpgsql stable
as $$
begin
    return (
        select coalesce(min((config ->> 'drop_after')::interval), interval '1000 years')
        from timescaledb_information.jobs
        where
            proc_name = 'policy_retention'
            and hypertable_schema = 'data'
            and hypertable_name in ('sample', 'fact')
    );
end
$$;
comment on function internal.raw_retention() is
'The shorter retention policy of samples and facts; 1000 years without one.';
