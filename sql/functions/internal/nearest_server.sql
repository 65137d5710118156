create or replace function internal.nearest_server(p_name text) returns text
language sql stable
begin atomic
    select
        internal.nearest_name(
            p_name,
            array(
                select name
                from data.server
                where
                    deregistered_at is null
                    and length(name) between length(p_name) / 2 and length(p_name) * 2 + 5
                -- Bounds the time of the comparison.
                limit 10000 -- noqa: AM09
            ),
            0.25
        );
end;
comment on function internal.nearest_server(text) is
'The name of a registered server that is nearest to this one; null when none is near.';
