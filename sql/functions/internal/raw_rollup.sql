create or replace function internal.raw_rollup(
    p_kinds bigint[], p_from timestamptz, p_to timestamptz, p_width interval, p_statistics text[]
)
returns setof data.rollup
language sql stable
begin atomic
    select * -- noqa: AM04
    from internal.raw_buckets(p_kinds, null, false, p_from, p_to, p_width, p_statistics);
end;
comment on function internal.raw_rollup(bigint[], timestamptz, timestamptz, interval, text[]) is
'As raw_buckets, of all series of p_kinds.';
