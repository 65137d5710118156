create or replace function internal.make_snapshot(p_unseen bigint[], p_end bigint)
returns pg_snapshot
language sql immutable parallel safe
begin atomic
    select
        format(
            '%s:%s:%s',
            least(min(unseen.change), p_end),
            p_end,
            string_agg(unseen.change::text, ',' order by unseen.change)
        )::pg_snapshot
    from unnest(p_unseen) as unseen (change);
end;
comment on function internal.make_snapshot(bigint[], bigint) is
'The transactions before p_end except p_unseen.';
