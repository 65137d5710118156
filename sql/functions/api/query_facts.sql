create or replace function api.query_facts(
    p_kind text,
    p_source text,
    p_subject text,
    p_from timestamptz,
    p_to timestamptz,
    p_limit integer,
    p_cursor text,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_to constant timestamptz := coalesce(p_to, p_now + interval '1 hour');
    v_after constant text := internal.read_cursor('facts', p_cursor, '^\d{1,17}/\d{1,18}$');
    v_ts timestamptz := v_to;
    v_seq bigint := 0;
    v_kinds bigint [];
    v_series bigint [];
    v_hint text;
    v_answer json;
begin
    perform internal.check_range(p_from, v_to);
    if v_after is not null then
        v_ts := to_timestamp(0) + split_part(v_after, '/', 1)::bigint * interval '1 microsecond';
        v_seq := split_part(v_after, '/', 2)::bigint;
    end if;
    if p_kind is not null or p_source is not null then
        v_kinds := internal.find_kinds(p_kind);
        v_series := case
            when p_source is null then array(
                select series_id from data.series where kind_id = any(v_kinds)
            )
            else internal.find_series(v_kinds, p_source)
        end;
    -- Null for the series of every namespace, where there is one only.
    elsif exists (select from data.every_kind where namespace <> internal.namespace()) then
        v_series := array(
            select series.series_id
            from data.kind
            inner join data.series on kind.kind_id = series.kind_id
            where kind.type = 'fact'
        );
    end if;

    with page as (
        select
            fact.ts,
            fact.seq,
            row_number() over (order by fact.ts desc, fact.seq desc) as place,
            json_build_object(
                'kind', kind.name,
                'source', source.name,
                'fact_id', fact.fact_id,
                'subject', fact.subject,
                'ts', fact.ts,
                'value', fact.value,
                'payload', fact.payload,
                'received_at', fact.received_at
            ) as item
        from (
            select *
            from data.fact
            where (v_series is null or fact.series_id = any(v_series))
                and (p_subject is null or fact.subject = p_subject)
                and fact.ts >= coalesce(p_from, '-infinity')
                and fact.ts < v_to
                and fact.ts <= v_ts
                and (fact.ts, fact.seq) < (v_ts, v_seq)
            order by fact.ts desc, fact.seq desc
            limit v_limit + 1
        ) as fact
        inner join data.series on fact.series_id = series.series_id
        inner join data.kind on series.kind_id = kind.kind_id
        inner join data.source on series.source_id = source.source_id
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'facts',
            max((extract(epoch from ts) * 1000000)::bigint || '/' || seq) filter (where place = v_limit)
        ) end
    )
    into v_answer
    from page;
    perform internal.check_chunks('{fact}');
    if v_after is null and json_array_length(v_answer -> 'items') = 0 then
        v_hint := internal.fact_hint(p_kind, p_source);
        if v_hint is not null then
            v_answer := json_build_object('items', json '[]', 'next_cursor', null, 'hint', v_hint);
        end if;
    end if;
    return v_answer;
end
$$;
comment on function api.query_facts(
    text, text, text, timestamptz, timestamptz, integer, text, timestamptz
) is
'Facts of [p_from, p_to), newest first: {items, next_cursor}. A page has p_limit items, by default 100,
at most 1000; next_cursor is null on the last one. Where a kind, or a source of it, has no facts, hint says
what to ask instead.
Errors: kind_unknown, source_unknown, from_before_to, from_in_range, limit_in_range, cursor_invalid.';
