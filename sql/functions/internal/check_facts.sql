create or replace function internal.check_facts(p_items jsonb, p_now timestamptz, p_nows timestamptz[])
returns table (
    place integer,
    item jsonb,
    series_id bigint,
    kind_id bigint,
    source_id bigint,
    fact_id text,
    digest bigint,
    ts timestamptz,
    subject text,
    value double precision,
    payload jsonb,
    received_at timestamptz,
    good boolean
)
language sql stable
begin atomic
    select
        (entry.n - 1)::integer,
        entry.item,
        entry.series_id,
        entry.kind_id,
        entry.source_id,
        -- A fact without a fact_id but with a ts is identified by its content.
        coalesce(
            entry.fact_id #>> '{}',
            case when entry.has_ts then encode(sha256(convert_to(entry.item::text, 'utf8')), 'hex') end
        ),
        jsonb_hash_extended(
            jsonb_build_array(
                entry.kind_id,
                -- The instant: how a time looks depends on the time zone of the session.
                case when entry.has_ts then (extract(epoch from entry.ts) * 1000000)::bigint end,
                entry.value,
                entry.subject,
                entry.payload
            ),
            0
        ),
        entry.ts,
        entry.subject #>> '{}',
        entry.number,
        coalesce(entry.payload, '{}'),
        entry.received_at,
        -- The rules of fact_faults, which says which one an item breaks.
        coalesce(
            entry.item - '{kind,source,fact_id,subject,ts,value,payload}'::text[] = '{}'
            and (
                entry.kind_id is not null
                or jsonb_typeof(entry.item -> 'kind') = 'string'
                and internal.fits(entry.item ->> 'kind', 'fact_kind')
            )
            and jsonb_typeof(entry.item -> 'source') = 'string'
            and (entry.source_id is not null or internal.fits(entry.item ->> 'source', 'source_name'))
            and (
                (select internal.bound_sources()) is null
                or entry.item ->> 'source' = any((select internal.bound_sources())::text[])
            )
            and (entry.value is null or entry.number is not null)
            and (
                entry.fact_id is null
                or jsonb_typeof(entry.fact_id) = 'string'
                and internal.fits(entry.fact_id #>> '{}', 'fact_id')
            )
            and (
                entry.subject is null
                or jsonb_typeof(entry.subject) = 'string'
                and length(entry.subject #>> '{}') between 1 and 500
            )
            and (
                entry.payload is null
                or jsonb_typeof(entry.payload) = 'object'
                and octet_length(entry.payload::text) <= 65536
            )
            and entry.ts <= entry.received_at + interval '5 minutes'
            -- Only a batch with an older item has to look.
            and (
                entry.ts > p_now - interval '1 hour'
                or entry.ts >= (select internal.oldest_accepted(p_now, 'fact'))
            ),
            false
        )
    from (
        select
            entry.n,
            entry.item,
            nullif(sent.fact_id, 'null') as fact_id,
            nullif(sent.subject, 'null') as subject,
            nullif(sent.value, 'null') as value,
            nullif(sent.payload, 'null') as payload,
            coalesce(sent.ts, 'null') <> 'null' as has_ts,
            series.series_id,
            kind.kind_id,
            source.source_id,
            received.at as received_at,
            internal.read_ts(sent.ts, received.at) as ts,
            internal.read_number(sent.value) as number
        from jsonb_array_elements(p_items) with ordinality as entry (item, n)
        cross join
            lateral jsonb_to_record(entry.item)
                as sent (
                    kind text, source text, fact_id jsonb, subject jsonb, ts jsonb, value jsonb, payload jsonb
                )
        cross join lateral (select coalesce(p_nows[entry.n::integer], p_now) as at) as received
        left join data.kind on sent.kind = kind.name and kind.type = 'fact'
        left join data.source on sent.source = source.name
        left join data.series
            on md5(kind.kind_id::text || '/' || source.source_id::text || '{}')::uuid = series.series_key
        -- Computes each of these once, although the query above uses them more than once.
        offset 0 -- noqa: AM09
    ) as entry;
end;
comment on function internal.check_facts(jsonb, timestamptz, timestamptz[]) is
'Every fact item with its series, null while that is unknown, its content, and whether it is good.
received_at is the time at its place in p_nows, or p_now.
fact_id is null for a fact that has neither a fact_id nor a ts: each of those is new.';
