create or replace function internal.late_counters(
    p_kinds bigint[], p_from timestamptz, p_to timestamptz
)
returns boolean
language plpgsql stable
as $$
begin
    return exists (
        select
        from data.late_hour
        inner join data.kind on late_hour.kind_id = kind.kind_id
        where
            late_hour.kind_id = any(p_kinds)
            and kind.type = 'counter'
            and late_hour.bucket >= p_from
            and late_hour.bucket < p_to
    );
end
$$;
comment on function internal.late_counters(bigint[], timestamptz, timestamptz) is
'Whether any hour in [p_from, p_to) got late samples of a counter among p_kinds.';
