create or replace function internal.read_plain_metrics(
    p_body json,
    p_now timestamptz,
    p_nows timestamptz[]
)
returns data.plain_metrics
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
    v_histograms data.histogram [];
    v_read data.plain_metrics;
begin
    v_read.plain := false;
    if internal.lists_samples(v_text) then
        return internal.read_plain_lists(v_items, p_now);
    end if;
    v_histograms := internal.read_histograms(v_items);
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
            field.ts::text,
            v_histograms is not null and field.value::text like '{%' as is_histogram,
            case
                when v_histograms is not null and field.value::text like '{%'
                    then octet_length(field.value::text) - octet_length(replace(field.value::text, ',', ''))
                else 0
            end as commas,
            case
                when v_histograms is not null and field.value::text like '{%'
                    then
                        case
                            when (v_histograms[field.place::integer]).fault is null
                                then (v_histograms[field.place::integer]).sum
                        end
                else internal.read_plain_number(field.value::text)
            end as reading
        from
            rows from (
                json_to_recordset(v_items)
                    as (name text, source text, value json, ts json, labels json, type text, unit json)
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
            count(sent.ts) as sent_instants,
            array_agg(sent.reading) as reading,
            array_agg(sent.ts) as spellings,
            coalesce(array_agg(p_nows[sent.place]) filter (where p_nows is not null), '{}') as arrivals,
            array_agg(sent.place) as place
        from sent
        group by sent.name, sent.source, sent.labels, sent.type, sent.unit, sent.is_histogram
    ),
    -- Those who collect give many series the same times: each list of times is read once.
    clock as materialized (
        select
            spelling.*,
            times.*
        from (select distinct run.spellings, run.arrivals from run) as spelling
        cross join lateral internal.read_times(spelling.spellings, spelling.arrivals, p_now) as times
    ),
    known as materialized (
        select
            row(
                series.series_id,
                series.kind_id,
                series.kind_type = 'counter',
                clock.instants,
                run.reading,
                run.place,
                clock.oldest,
                clock.newest
            )::data.series_samples as samples,
            run.items,
            series.kind_name,
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
                and internal.is_plain_series(
                    run.name, run.source, run.labels, run.type, run.unit,
                    series.kind_type, series.kind_unit, v_sources
                )
                and series.kind_type
                = any(case when run.is_histogram then '{histogram}' else '{gauge,counter}' end::text [])
                and internal.are_plain_samples(
                    series.kind_type, run.items, run.readings, run.lowest, run.highest,
                    clock.times, clock.newest, p_now
                )
                and (
                    clock.oldest > p_now - interval '1 hour'
                    or clock.oldest >= (select internal.oldest_accepted(p_now, 'sample'))
                ),
                false
            ) as good
        from run
        inner join clock on run.spellings = clock.spellings and run.arrivals = clock.arrivals
        cross join lateral (select concat(run.name, run.source, run.labels, run.unit) as text) as spelling
        left join lateral internal.series_of(run.name, run.source, run.labels) as series on true
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
        (select sum(known.items) from known),
        (select min((known.samples).oldest) from known),
        (select array_agg(known.samples) from known where verdict.plain),
        v_histograms,
        (select array_agg(distinct (known.samples).kind_id) from known),
        (select array_agg(distinct known.kind_name) from known)
    into v_read
    from verdict;
    return v_read;
exception
    when data_exception then
        return v_read;
end
$$;
comment on function internal.read_plain_metrics(json, timestamptz, timestamptz[]) is
'A request body as samples by series, if it is plain: at most 10000 items, all of them items of
registered series, without a repeated key. Whatever may be otherwise is not plain, and for check_metrics
to judge. An item without ts has the time at its place in p_nows, or p_now; one with arrays has a place for
each sample. histograms, by the places of their items, are null where the body has none.';
