create or replace function internal.check_facts(p_items jsonb, p_now timestamptz)
returns table (
    place integer,
    item jsonb,
    series_id integer,
    kind_id integer,
    source_id integer,
    fact_id text,
    digest bigint,
    ts timestamptz,
    subject text,
    value double precision,
    payload jsonb,
    slug text
)
language sql stable
begin atomic
    select
        (entry.n - 1)::integer,
        entry.item,
        entry.series_id,
        entry.kind_id,
        entry.source_id,
        -- Without a name of its own a fact that carries its instant is known by its content.
        coalesce(
            entry.fact_id #>> '{}',
            case when entry.has_ts then encode(sha256(convert_to(entry.item::text, 'utf8')), 'hex') end
        ),
        jsonb_hash_extended(
            jsonb_build_array(
                entry.kind_id,
                case when entry.has_ts then entry.ts end,
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
        case
            when entry.item - '{kind,source,fact_id,subject,ts,value,payload}'::text[] <> '{}'
                then case when entry.item ? '' then 'item_is_object' else 'item_fields_known' end
            when entry.kind_id is null and (
                jsonb_typeof(entry.item -> 'kind') is distinct from 'string'
                or entry.item ->> 'kind' !~ '^Fact:[A-Za-z][A-Za-z0-9_.]*$'
                or length(entry.item ->> 'kind') > 105
            ) then 'fact_kind_well_formed'
            when entry.source_id is null and (
                jsonb_typeof(entry.item -> 'source') is distinct from 'string'
                or length(entry.item ->> 'source') not between 1 and 200
                or entry.item ->> 'source' ~ '[[:cntrl:][:space:]]'
            ) then 'source_name_well_formed'
            when entry.number is null and entry.value is not null then 'value_finite'
            when
                jsonb_typeof(entry.fact_id) <> 'string'
                or length(entry.fact_id #>> '{}') not between 1 and 200
                or entry.fact_id #>> '{}' ~ '[[:cntrl:]]'
                then 'fact_id_well_formed'
            when
                jsonb_typeof(entry.subject) <> 'string'
                or length(entry.subject #>> '{}') not between 1 and 500
                then 'subject_well_formed'
            when jsonb_typeof(entry.payload) <> 'object' or octet_length(entry.payload::text) > 65536
                then 'payload_well_formed'
            when entry.ts is null then 'ts_well_formed'
            when entry.ts > p_now + interval '5 minutes' then 'ts_not_in_future'
            when entry.ts < p_now - (select internal.raw_retention()) then 'ts_within_retention'
        end
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
            internal.read_ts(sent.ts, p_now) as ts,
            internal.read_number(sent.value) as number
        from jsonb_array_elements(p_items) with ordinality as entry (item, n)
        cross join
            lateral jsonb_to_record(entry.item)
                as sent (
                    kind text, source text, fact_id jsonb, subject jsonb, ts jsonb, value jsonb, payload jsonb
                )
        left join data.kind on sent.kind = kind.name and kind.type = 'fact'
        left join data.source on sent.source = source.name
        left join data.series
            on md5(kind.kind_id::text || '/' || source.source_id::text || '{}')::uuid = series.series_key
        -- Each of these is used more than once above and must be computed once.
        offset 0 -- noqa: AM09
    ) as entry;
end;
comment on function internal.check_facts(jsonb, timestamptz) is
'Every fact item with its series where that is known, its content, and the rule it breaks.
fact_id is null for a fact with neither a name nor an instant: every one of those is new.';
