create or replace function internal.refresh_start() returns timestamptz
language sql stable
begin atomic
    with kept as materialized (
        select
            internal.oldest_chunk('sample') as oldest,
            internal.samples_kept_from() as kept_from
    ),

    relation as (
        select
            coalesce(rollup.user_view_name, hypertable.table_name) as name,
            dimension.id as dimension_id
        from _timescaledb_catalog.hypertable
        inner join _timescaledb_catalog.dimension on hypertable.id = dimension.hypertable_id
        left join _timescaledb_catalog.continuous_agg as rollup
            on hypertable.id = rollup.mat_hypertable_id
        where coalesce(rollup.user_view_schema, hypertable.schema_name) = 'data'
    ),

    expired as (
        select max(_timescaledb_functions.to_timestamp(slice.range_end)) as upto
        from relation
        inner join _timescaledb_catalog.dimension_slice as slice on relation.dimension_id = slice.dimension_id
        where
            relation.name in (select parent from internal.rollups())
            and _timescaledb_functions.to_timestamp(slice.range_end)
            <= now() - internal.retention(relation.name)
    )

    select
        greatest(
            case
                when isfinite(kept.kept_from) then kept.kept_from
                -- Nothing to erase: include samples that arrive while the refresh begins.
                else
                    time_bucket(
                        interval '24 hours', least(kept.oldest, now() - internal.retention('sample'))
                    )
            end,
            -- Retention may drop these chunks while the refresh runs.
            time_bucket(
                interval '24 hours', expired.upto + interval '24 hours' - interval '1 microsecond'
            )
        )
    from kept
    cross join expired
    where isfinite(kept.oldest);
end;
comment on function internal.refresh_start() is
'Start of the oldest day that a refresh may compute, because all of its samples and hours are there and stay;
null without samples.';
