create or replace function internal.read_plain_metrics(
    p_body json,
    p_now timestamptz,
    p_nows timestamptz[],
    out plain boolean,
    out samples data.series_samples[],
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
    v_sources constant text [] := internal.bound_sources();
    v_commas constant integer := octet_length(v_text) - octet_length(replace(v_text, ',', ''));
begin
    histograms := internal.read_histograms(v_items);
    -- A value stays JSON text here: a string is no number. `offset 0` keeps the planner from computing
    -- an expression once for each of its uses.
    with sent as (
        select
            field.name,
            field.source,
            field.labels::text,
            field.type,
            field.unit::text,
            field.place,
            field.ts,
            histograms is not null and field.value::text like '{%' as is_histogram,
            case
                when histograms is not null and field.value::text like '{%'
                    then octet_length(field.value::text) - octet_length(replace(field.value::text, ',', ''))
                else 0
            end as commas,
            -- What JSON lets start like this is a number, or no SQL reads it; one that may be near zero is
            -- left to check_metrics. Adding zero drops the sign of zero.
            case
                when histograms is not null and field.value::text like '{%'
                    then
                        case
                            when (histograms[field.place::integer]).fault is null
                                then (histograms[field.place::integer]).sum
                        end
                when
                    field.value::text collate "C" > '-'
                    and field.value::text not like '_%-___%'
                    and octet_length(field.value::text) < 100
                    then field.value::text::double precision + 0.0
            end as reading,
            case
                when field.ts is null then coalesce(p_nows[field.place], p_now)
                -- As read_ts does: a regular expression takes ten times as long as these patterns, and trimming
                -- characters three times as long as trimming bytes.
                when
                    case
                        when field.ts like '____-__-__T__:__:__.______+00:00'
                            then rtrim(substr(convert_to(field.ts, 'UTF8'), 21, 6), '0123456789') = ''
                        when field.ts like '____-__-__T__:__:__.___Z'
                            then rtrim(substr(convert_to(field.ts, 'UTF8'), 21, 3), '0123456789') = ''
                        when field.ts like '____-__-__T__:__:__Z' then true
                        else field.ts ~ '^....-..-..[Tt ]..:..:..([.][0-9]+)?([Zz]|[+-]..:..)$'
                    end
                    then field.ts::timestamptz
            end as instant
        from
            rows from (
                json_to_recordset(v_items)
                    as (name text, source text, value json, ts text, labels json, type text, unit json)
            ) with ordinality as field (name, source, value, ts, labels, type, unit, place)
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
            array_agg(sent.place) as place
        from sent
        group by sent.name, sent.source, sent.labels, sent.type, sent.unit, sent.is_histogram
    ),
    known as materialized (
        select
            row(
                series.series_id,
                kind.kind_id,
                kind.type = 'counter',
                run.instant,
                run.reading,
                run.place,
                run.oldest,
                run.newest
            )::data.series_samples as samples,
            run.items,
            kind.name as kind_name,
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
                -- A text that is also a JSON value may have been one.
                and run.name is not json
                and run.source is not json
                -- An escaped comma is none in the body.
                and concat(run.name, run.source, run.unit) not like '%,%'
                and kind.type = any(case when run.is_histogram then '{histogram}' else '{gauge,counter}' end::text [])
                and (v_sources is null or run.source = any(v_sources))
                and (run.type is null or run.type = kind.type)
                and (
                    run.unit is null
                    or kind.unit is not null
                    and run.unit like '"%'
                    and internal.is_unit(run.unit::json #>> '{}', kind.unit)
                )
                and (run.labels is null or run.labels is json with unique keys)
                and run.readings = run.items
                and run.lowest > -1e140
                and (kind.type <> 'counter' or run.lowest >= 0)
                and run.highest < 1e140
                and run.instants = run.items
                and run.newest <= p_now + interval '5 minutes'
                and (
                    run.oldest > p_now - interval '1 hour'
                    or run.oldest >= (select internal.oldest_accepted(p_now, 'sample'))
                ),
                false
            ) as good
        from run
        cross join lateral (select concat(run.name, run.source, run.labels, run.unit) as text) as spelling
        left join
            lateral (select * from data.kind where kind.name = run.name offset 0) as kind on true
        left join
            lateral (select * from data.source where source.name = run.source offset 0) as source on true
        left join
            lateral (
                select * from data.series
                where
                    series.series_key
                    = md5(
                        kind.kind_id::text || '/' || source.source_id::text
                        || coalesce(run.labels::jsonb, '{}')::text
                    )::uuid
                offset 0
            ) as series on true
    ),
    verdict as (
        select
            coalesce(bool_and(good), false)
            and sum(commas) - 1 = v_commas
            and sum(items) <= 10000 as plain
        from known
    )
    select
        verdict.plain,
        (select array_agg(known.samples) from known where verdict.plain),
        (select array_agg(distinct known.kind_name) from known)
    into plain, samples, kind_names
    from verdict;
exception
    when data_exception then
        plain := false;
end
$$;
comment on function internal.read_plain_metrics(json, timestamptz, timestamptz[]) is
'A request body as samples by series, if it is plain: at most 10000 items, all of them items of
registered series, without a repeated key. Whatever may be otherwise is not plain, and for check_metrics
to judge. An item without ts has the time at its place in p_nows, or p_now. histograms, by the places of their items, are null where the body has none.';
