create or replace function internal.begin_restatements(p_late bigint[]) returns void
language sql
begin atomic
    insert into data.aggregate_restatement (kind_id, during, noted_at, before)
    select
        hours.kind_id,
        stretch.during,
        hours.noted_at,
        internal.rolled_up(hours.kind_id, stretch.during)
    from (
        select
            kind_id,
            min(noted_at) as noted_at,
            range_agg(tstzrange(bucket, bucket + interval '1 hour')) as during
        from data.late_hour
        where late_hour_id = any(p_late)
        group by kind_id
    ) as hours
    -- A refresh that was interrupted has begun theirs, and may have refreshed some of them.
    left join lateral (
        select range_agg(open.during) as during
        from data.aggregate_restatement as open
        where open.kind_id = hours.kind_id and open.restated_at is null
    ) as begun on true
    cross join lateral unnest(hours.during - coalesce(begun.during, '{}')) as stretch (during)
    order by hours.kind_id, stretch.during;
end;
comment on function internal.begin_restatements(bigint[]) is
'Notes what is rolled up of the hours of these entries of data.late_hour, before they are refreshed.';
