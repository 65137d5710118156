create or replace function internal.refresh_start() returns timestamptz
language sql stable
begin atomic
    with kept as materialized (
        select
            internal.oldest_chunk('sample') as oldest,
            internal.samples_kept_from() as kept_from
    ),

    expired as (
        select max(range_end) as upto
        from timescaledb_information.chunks
        where
            hypertable_schema = 'data'
            and hypertable_name = 'sample'
            and range_end <= now() - internal.retention('sample')
    )

    select
        greatest(
            case
                when isfinite(kept.kept_from) then kept.kept_from
                -- Nothing to erase: include samples that arrive while the refresh begins.
                else
                    time_bucket(
                        interval '24 hours', least(kept.oldest, now() - internal.raw_retention())
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
'Start of the oldest day that a refresh may compute, because all of its samples are there and stay;
null without samples.';
