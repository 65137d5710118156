create or replace function internal.hours_between_late(p_kinds bigint[], p_hours tstzmultirange)
returns setof tstzrange
language plpgsql stable
as $$
declare
    -- A counter grows from bucket to bucket: its late hours have their place between the others.
    v_late constant tstzrange [] := array(
        select distinct tstzrange(late.bucket, late.bucket + interval '1 hour')
        from data.late
        inner join data.kind on late.kind_id = kind.kind_id
        where
            late.kind_id = any(p_kinds)
            and kind.type = 'counter'
            and late.bucket <@ p_hours
    );
begin
    return query select unnest(p_hours - coalesce(range_agg(late), '{}')) from unnest(v_late) as late;
    return query select unnest(v_late);
end
$$;
comment on function internal.hours_between_late(bigint[], tstzmultirange) is
'The stretches of p_hours without late samples of counters among p_kinds, and each hour that has some.';
