create or replace function internal.keep_fact_conflicts(p_items jsonb, p_now timestamptz)
returns integer
language sql
begin atomic
    with kept as (
        insert into data.conflict (received_at, kind_id, source_id, ts, item)
        select
            p_now,
            item.kind_id,
            item.source_id,
            item.ts,
            item.item
        from internal.check_facts(p_items, p_now) as item
        inner join data.fact_identity
            on
                item.source_id = fact_identity.source_id
                and item.fact_id = fact_identity.fact_id
        where
            item.good
            and item.digest <> fact_identity.digest
        returning 1
    )

    select count(*)::integer from kept;
end;
comment on function internal.keep_fact_conflicts(jsonb, timestamptz) is
'Stores the items whose source and fact_id are already stored with other content; returns their number.';
