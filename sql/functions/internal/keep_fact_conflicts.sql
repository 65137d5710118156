create or replace function internal.keep_fact_conflicts(p_items jsonb, p_now timestamptz)
returns integer
language sql
begin atomic
    select
        internal.keep_conflicts(
            jsonb_agg(jsonb_build_object(
                'place', item.place,
                'source_id', item.source_id,
                'kind_id', item.kind_id,
                'ts', item.ts,
                'item', item.item
            )),
            p_now
        )
    from internal.check_facts(p_items, p_now, null) as item
    inner join data.fact_identity
        on
            item.source_id = fact_identity.source_id
            and item.fact_id = fact_identity.fact_id
    where
        item.good
        and item.digest <> fact_identity.digest;
end;
comment on function internal.keep_fact_conflicts(jsonb, timestamptz) is
'Stores the items whose source and fact_id are already stored with other content; returns their number.';
