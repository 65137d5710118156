create or replace function internal.seen_before(
    p_seen pg_snapshot, p_until pg_snapshot, p_change bigint
)
returns pg_snapshot
language sql immutable parallel safe
begin atomic
    select internal.make_snapshot(
        array(
            select unseen
            from unnest(internal.unseen_changes(p_until)) as unseen
            where unseen < p_change and not pg_visible_in_snapshot(unseen::text::xid8, p_seen)
            union all
            select unseen
            from unnest(internal.unseen_changes(p_seen)) as unseen
            where unseen >= p_change
        ),
        greatest(pg_snapshot_xmax(p_seen)::text::bigint, p_change)
    );
end;
comment on function internal.seen_before(pg_snapshot, pg_snapshot, bigint) is
'What a reader has seen when it comes to p_change: it had seen p_seen, and reads what p_until sees in the
order of the numbers of transactions.';
