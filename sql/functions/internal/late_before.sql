create or replace function internal.late_before(p_now timestamptz) returns timestamptz
language sql stable
begin atomic
    select
        greatest(
            -- The refresh policies reach back 89 days.
            p_now - interval '88 days',
            case
                when threshold.watermark > _timescaledb_functions.to_unix_microseconds('0001-01-01')
                    then greatest(
                        _timescaledb_functions.to_timestamp(threshold.watermark),
                        -- A refresh that starts before this commits ends an hour before it starts.
                        time_bucket(interval '1 hour', p_now - interval '55 minutes')
                    )
            end
        )
    from _timescaledb_catalog.hypertable
    inner join _timescaledb_catalog.continuous_aggs_invalidation_threshold as threshold
        on hypertable.id = threshold.hypertable_id
    where hypertable.schema_name = 'data' and hypertable.table_name = 'sample';
end;
comment on function internal.late_before(timestamptz) is
'Samples older than this may be missing from a rollup that is made or being made: note them in data.late.
It is not the watermark, which moves only when a refresh ends and differs from rollup to rollup.';
