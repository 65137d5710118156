create or replace function internal.outbox_groups()
returns table (subscription_id bigint, group_key text, due_at timestamptz)
language sql stable
begin atomic
    -- One look into the index for each group: what waits may be much.
    with recursive oldest as (
        (
            select
                outbox.subscription_id,
                outbox.group_key,
                outbox.due_at
            from data.outbox
            order by outbox.subscription_id, outbox.group_key, outbox.outbox_id
            limit 1
        )
        union all
        select further.*
        from oldest
        cross join lateral (
            select
                outbox.subscription_id,
                outbox.group_key,
                outbox.due_at
            from data.outbox
            where (outbox.subscription_id, outbox.group_key) > (oldest.subscription_id, oldest.group_key)
            order by outbox.subscription_id, outbox.group_key, outbox.outbox_id
            limit 1
        ) as further
    )

    select
        oldest.subscription_id,
        oldest.group_key,
        oldest.due_at
    from oldest;
end;
comment on function internal.outbox_groups() is
'The groups that have items in the outbox, and when the oldest item of each is due.';
