create or replace function internal.nearest_kind(p_kind text) returns text
language sql stable
begin atomic
    select
        internal.nearest_name(
            p_kind,
            array(
                select name
                from data.kind
                where length(name) between length(p_kind) / 2 and length(p_kind) * 2 + 5
                -- Bounds the time of the comparison.
                limit 10000 -- noqa: AM09
            ),
            0.25
        );
end;
comment on function internal.nearest_kind(text) is
'The name of a kind that is nearest to this one; null when none is near.';
