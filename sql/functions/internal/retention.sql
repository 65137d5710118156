create or replace function internal.retention(p_relation name) returns interval
language plpgsql stable
as $$
begin
    return coalesce(
        (
            -- Of the catalog, not timescaledb_information.jobs: ingest asks for it.
            select min((job.config ->> 'drop_after')::interval)
            from _timescaledb_config.bgw_job as job
            inner join _timescaledb_catalog.hypertable on job.hypertable_id = hypertable.id
            left join _timescaledb_catalog.continuous_agg as rollup
                on hypertable.id = rollup.mat_hypertable_id
            where
                job.proc_name = 'policy_retention'
                and coalesce(rollup.user_view_schema, hypertable.schema_name) = 'data'
                and coalesce(rollup.user_view_name, hypertable.table_name) = p_relation
        ),
        interval '1000 years'
    );
end
$$;
comment on function internal.retention(name) is
'The retention policy of a hypertable or continuous aggregate of data; 1000 years without one.';
