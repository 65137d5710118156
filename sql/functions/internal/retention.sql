create or replace function internal.retention(p_relation name) returns interval
language plpgsql stable
as $$
begin
    return coalesce(
        (
            -- Of the catalog, not timescaledb_information.jobs: ingest asks for it.
            select min((job.config ->> 'drop_after')::interval)
            from _timescaledb_config.bgw_job as job
            inner join _timescaledb_catalog.dimension on job.hypertable_id = dimension.hypertable_id
            where
                job.proc_name = 'policy_retention'
                and dimension.id = (select internal.dimension_id(p_relation))
        ),
        interval '1000 years'
    );
end
$$;
comment on function internal.retention(name) is
'The retention policy of a hypertable or continuous aggregate of data; 1000 years without one.';
