create or replace function internal.read_plain_metrics(
    p_body json,
    p_now timestamptz,
    out plain boolean,
    out series bigint[],
    out kinds bigint[],
    out counters boolean[],
    out instants timestamptz[],
    out readings double precision[],
    out places integer[],
    out histograms data.histogram[],
    out kind_names text[]
)
language plpgsql stable
-- A plan that is kept sees the catalogue grow: only probes of indexes stay fast.
set enable_seqscan = off
as $$
declare
    v_items constant json := case json_typeof(p_body)
        when 'object' then ('[' || p_body::text || ']')::json
        else p_body
    end;
    v_text constant text := v_items;
    v_histograms data.histogram[];
    v_commas constant integer := octet_length(v_text) - octet_length(replace(v_text, ',', ''));
begin
    v_histograms := internal.read_histograms(v_items);
    -- Fields stay JSON text here: a number is no name, and a string no number. Each `offset 0` keeps the
    -- planner from computing an expression once for each of its uses.
    with entry as (
        select
            field.name::text,
            field.source::text,
            field.value::text collate "C" as value,
            field.ts::text collate "C" as ts,
            field.labels::text,
            field.type::text,
            field.unit::text,
            field.place
        from
            rows from (
                json_to_recordset(v_items)
                    as (name json, source json, value json, ts json, labels json, type json, unit json)
            ) with ordinality as field (name, source, value, ts, labels, type, unit, place)
        offset 0 -- noqa: AM09
    ),
    sent as (
        select
            entry.name,
            entry.source,
            entry.labels,
            entry.type,
            entry.unit,
            entry.place,
            entry.ts,
            entry.value like '{%' as is_histogram,
            case
                when entry.value like '{%' then octet_length(entry.value) - octet_length(replace(entry.value, ',', ''))
                else 0
            end as commas,
            -- What JSON lets start like this is a number; one that may be near zero is left to check_metrics.
            -- Adding zero drops the sign of zero.
            case
                when
                    entry.value between '-' and ':'
                    and entry.value not like '_%-___%'
                    and octet_length(entry.value) < 100
                    then entry.value::double precision + 0.0
                when (v_histograms[entry.place::integer]).fault is null
                    then (v_histograms[entry.place::integer]).sum
            end as reading,
            case
                when entry.ts is null then p_now
                -- As read_ts does: a regular expression takes ten times as long as these patterns.
                when
                    case
                        when entry.ts like '"____-__-__T__:__:__.______+00:00"'
                            then rtrim(substr(entry.ts, 22, 6), '0123456789') = ''
                        when entry.ts like '"____-__-__T__:__:__.___Z"'
                            then rtrim(substr(entry.ts, 22, 3), '0123456789') = ''
                        when entry.ts like '"____-__-__T__:__:__Z"' then true
                        else entry.ts ~ '^"....-..-..[Tt ]..:..:..([.][0-9]+)?([Zz]|[+-]..:..)"$'
                    end
                    -- PostgreSQL ignores the quotation marks.
                    then entry.ts::timestamptz
            end as instant
        from entry
        offset 0 -- noqa: AM09
    ),
    run as (
        select
            sent.name,
            sent.source,
            sent.labels,
            sent.type,
            sent.unit,
            sent.is_histogram,
            count(*) as items,
            sum(sent.commas) as commas,
            count(sent.reading) as readings,
            min(sent.reading) as lowest,
            max(sent.reading) as highest,
            count(sent.instant) as instants,
            min(sent.instant) as oldest,
            max(sent.instant) as newest,
            count(sent.ts) as sent_instants,
            array_agg(sent.reading) as reading,
            array_agg(sent.instant) as instant,
            array_agg(sent.place) as place,
            case when sent.name like '"%' then sent.name::json #>> '{}' end as kind,
            case when sent.source like '"%' then sent.source::json #>> '{}' end as sender,
            coalesce(sent.labels::jsonb, '{}')::text as label_set
        from sent
        group by sent.name, sent.source, sent.labels, sent.type, sent.unit, sent.is_histogram
    ),
    known as materialized (
        select
            run.reading,
            run.instant,
            run.place,
            series.series_id,
            kind.kind_id,
            kind.name as kind_name,
            kind.type = 'counter' as counter,
            -- A field that is unknown, null or repeated adds a comma to the body that is not in this.
            run.sent_instants + run.commas + run.items * (
                3
                + num_nonnulls(run.labels, run.type, run.unit)
                + octet_length(spelling.text)
                - octet_length(replace(spelling.text, ',', ''))
            ) as commas,
            -- The rules of check_metrics.
            coalesce(
                series.series_id is not null
                -- An escaped comma is none in the body.
                and concat(run.name, run.source, run.type, run.unit) not like '%,%'
                and kind.type = any(case when run.is_histogram then '{histogram}' else '{gauge,counter}' end::text [])
                and (run.type is null or run.type = '"' || kind.type || '"')
                and (
                    run.unit is null
                    or kind.unit is not null
                    and run.unit like '"%'
                    and internal.is_unit(run.unit::json #>> '{}', kind.unit)
                )
                and (run.labels is null or run.labels is json with unique keys)
                and run.readings = run.items
                and run.lowest > -1e140
                and run.highest < 1e140
                and run.instants = run.items
                and run.newest <= p_now + interval '5 minutes'
                and (
                    run.oldest > p_now - interval '1 hour'
                    or run.oldest >= (select internal.oldest_accepted(p_now))
                ),
                false
            ) as good
        from run
        cross join
            lateral (select concat(run.name, run.source, run.labels, run.type, run.unit) as text)
                as spelling
        left join
            lateral (select * from data.kind where kind.name = run.kind offset 0) as kind on true
        left join
            lateral (select * from data.source where source.name = run.sender offset 0) as source on true
        left join
            lateral (
                select * from data.series
                where
                    series.series_key
                    = md5(kind.kind_id::text || '/' || source.source_id::text || run.label_set)::uuid
                offset 0
            ) as series on true
    ),
    verdict as materialized (
        select
            coalesce(bool_and(good), false)
            and sum(commas) - 1 = v_commas
            and sum(array_length(place, 1)) <= 10000 as plain
        from known
    )
    select
        verdict.plain,
        sample.series,
        sample.kinds,
        sample.counters,
        sample.instants,
        sample.readings,
        sample.places,
        v_histograms,
        (select array_agg(distinct known.kind_name) from known)
    into plain, series, kinds, counters, instants, readings, places, histograms, kind_names
    from verdict
    left join (
        select
            array_agg(ordered.series_id) as series,
            array_agg(ordered.kind_id) as kinds,
            array_agg(ordered.counter) as counters,
            array_agg(ordered.instant) as instants,
            array_agg(ordered.reading) as readings,
            array_agg(ordered.place) as places
        from (
            select
                known.series_id,
                known.kind_id,
                known.counter,
                item.instant,
                item.reading,
                item.place
            from known
            cross join lateral unnest(known.instant, known.reading, known.place) as item (instant, reading, place)
            -- Two batches with the same samples wait for each other in one order.
            order by known.series_id, item.instant, item.place
        ) as ordered
    ) as sample on verdict.plain;
exception
    when data_exception then
        plain := false;
end
$$;
comment on function internal.read_plain_metrics(json, timestamptz) is
'A request body as samples, one array for each column, if it is plain: at most 10000 items, all of them
items of registered series, without a repeated key. Whatever may be otherwise is not plain, and for
check_metrics to judge. places are those of the items in the body, from 1. histograms, by place, are
null where the body has none.';
