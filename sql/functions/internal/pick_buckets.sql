create or replace function internal.pick_buckets(p_rollup name, p_count integer)
returns setof timestamptz
language sql volatile
begin atomic
    select made.bucket
    from (
        select bucket from data.kind_1h
        where p_rollup like '%_1h'
        group by bucket
        union all
        select bucket from data.kind_1d
        where p_rollup like '%_1d'
        group by bucket
    ) as made
    where
        -- Only there all samples are stored still.
        made.bucket >= (select internal.refresh_start())
        and made.bucket < (select internal.watermark(p_rollup))
    order by random()
    limit p_count;
end;
comment on function internal.pick_buckets(name, integer) is
'Some buckets of a rollup at random, of those whose samples are all stored.';
