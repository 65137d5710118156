create or replace function internal.keep_conflicts(p_conflicts jsonb, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    v_attempts integer;
begin
    if p_conflicts is null then
        return 0;
    end if;
    with item as materialized (
        select
            sent.source_id,
            sent.kind_id,
            internal.item_digest(sent.item, sent.ts) as digest,
            min(sent.ts) as ts,
            (array_agg(sent.item order by sent.place))[1] as item,
            count(*)::integer as attempts
        from
            jsonb_to_recordset(p_conflicts)
                as sent (place integer, source_id bigint, kind_id bigint, ts timestamptz, item jsonb)
        group by sent.source_id, sent.kind_id, internal.item_digest(sent.item, sent.ts)
    ),

    kept as (
        insert into data.conflict (
            source_id, kind_id, digest, ts, item, attempts, first_received_at, last_received_at
        )
        select
            source_id,
            kind_id,
            digest,
            ts,
            item,
            attempts,
            p_now as first_received_at,
            p_now as last_received_at
        from item
        -- Two batches with the same conflicts wait for each other in one order.
        order by source_id, kind_id, digest
        on conflict (source_id, kind_id, digest) do update
            set
                last_received_at = greatest(conflict.last_received_at, excluded.last_received_at),
                attempts = conflict.attempts + excluded.attempts
    )

    select sum(attempts) into v_attempts from item;
    return v_attempts;
end
$$;
comment on function internal.keep_conflicts(jsonb, timestamptz) is
'Stores items [{place, source_id, kind_id, ts, item}] in data.conflict, equal ones once; returns their
number.';
