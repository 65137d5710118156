create or replace function api.stream_facts(
    p_kind text,
    p_source text,
    p_subject text,
    p_last_event_id text,
    p_until text,
    p_limit integer,
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
    v_limit constant integer := internal.read_limit(p_limit, 500, 1000);
    v_reading record;
    v_answer json;
begin
    if not internal.fits(p_kind, 'fact_kind') then
        raise exception 'kind "%" is not one of facts', left(p_kind, 200)
            using errcode = 'SV422', constraint = 'fact_kind_well_formed', column = 'kind',
            hint = 'Send Fact: and the name of the event, such as Fact:Sale; the kind may be new.';
    end if;
    select * into v_reading from internal.plan_reading(p_last_event_id, p_until, p_now);

    with unseen as (
        (
            select change, seq, series_id, ts, 0 as turn
            from data.fact_identity
            where change = v_reading.change and seq > v_reading.number
            order by seq
            limit v_limit + 1
        )
        union all
        (
            select change, seq, series_id, ts, 1
            from data.fact_identity
            where
                change = any(v_reading.unseen)
                and change < v_reading.to_change
                and change <> all(v_reading.hidden)
            order by change, seq
            limit v_limit + 1
        )
        union all
        (
            select change, seq, series_id, ts, 1
            from data.fact_identity
            where
                change >= v_reading.from_change
                and change < v_reading.to_change
                and change <> all(v_reading.hidden)
            order by change, seq
            limit v_limit + 1
        )
    ),
    placed as materialized (
        select
            unseen.*,
            row_number() over (order by turn, change, seq) as place
        from unseen
        order by turn, change, seq
        limit v_limit + 1
    ),
    page as materialized (
        select
            placed.*,
            internal.write_position(begun.seen, change, seq, v_reading.at) as position
        from placed
        inner join (
            select
                change,
                case
                    when turn = 0 then v_reading.seen
                    else internal.seen_before(v_reading.base, v_reading.until, change)
                end as seen
            from placed
            group by turn, change
        ) as begun using (change)
        where place <= v_limit
    )
    select json_build_object(
        'events', coalesce(
            (
                select
                    json_agg(
                        json_build_object(
                            'id', page.position,
                            'about', json_build_object(
                                'kind', kind.name, 'source', source.name, 'subject', fact.subject
                            ),
                            'data', json_build_object(
                                'kind', kind.name,
                                'source', source.name,
                                'fact_id', fact.fact_id,
                                'subject', fact.subject,
                                'ts', fact.ts,
                                'value', fact.value,
                                'payload', fact.payload,
                                'received_at', fact.received_at
                            )
                        )
                        order by page.place
                    )
                from (
                    select
                        series_id,
                        min(ts) as first_ts,
                        max(ts) as last_ts,
                        array_agg(seq) as seqs
                    from page
                    group by series_id, time_bucket(interval '1 hour', ts)
                ) as part
                -- Without `offset 0` the planner may read all facts.
                cross join lateral (
                    select fact.*
                    from data.fact
                    where
                        fact.series_id = part.series_id
                        and fact.ts between part.first_ts and part.last_ts
                        and fact.seq = any(part.seqs)
                    offset 0
                ) as fact
                inner join page on fact.seq = page.seq
                inner join data.series on fact.series_id = series.series_id
                inner join data.kind on series.kind_id = kind.kind_id
                inner join data.source on series.source_id = source.source_id
                where
                    (p_kind is null or kind.name = p_kind)
                    and (p_source is null or source.name = p_source)
                    and (p_subject is null or fact.subject = p_subject)
            ),
            '[]'
        ),
        'position', case
            when (select count(*) from placed) <= v_limit and v_reading.is_covered
                then v_reading.until_position
            else coalesce(
                (select page.position from page order by place desc limit 1), p_last_event_id
            )
        end,
        'until', v_reading.until_position,
        'missing', internal.missing_json(
            v_reading.at, v_reading.is_foreign, p_now - internal.retention('fact'), p_now
        )
    )
    into v_answer;
    perform internal.check_chunks('{fact}');
    return v_answer;
end
$$;
comment on function api.stream_facts(text, text, text, text, text, integer, timestamptz) is
'Facts in an order in which none is missed, whatever the order of the commits: {events: [{id, about, data}],
position, until, missing}. Each comes after what p_last_event_id, the id of an event, marks as received;
null for none gives no events, only the position. Reads on to p_until, by default to what is committed.
p_limit facts, by default 500, are read; position marks what was read, until that it was everything.
A position is until only where all was read. missing says what was dropped in the meantime: {from, to}.
Errors: fact_kind_well_formed, last_event_id_well_formed, limit_in_range.';
