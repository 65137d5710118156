create or replace function internal.read_plain_lists(p_items json, p_now timestamptz)
returns data.plain_metrics
language plpgsql stable
-- A plan that is kept sees the catalogue grow: only probes of indexes stay fast.
set enable_seqscan = off
as $$
declare
    v_text constant text := p_items;
    v_sources constant text [] := internal.bound_sources();
    v_commas constant integer := octet_length(v_text) - octet_length(replace(v_text, ',', ''));
    v_read data.plain_metrics;
begin
    v_read.plain := false;
    with item as (
        select
            field.name,
            field.source,
            field.labels::text,
            field.type,
            field.unit::text,
            -- One sample may be sent without arrays beside those of others.
            case when field.single then '[' || field.ts::text || ']' else field.ts::text end as times,
            case when field.single then '[' || field.value::text || ']' else field.value::text end as list,
            field.place
        from (
            select
                sent.*,
                concat(left(sent.ts::text, 1), left(sent.value::text, 1)) not like '%[%' as single
            from
                rows from (
                    json_to_recordset(p_items)
                        as (name text, source text, value json, ts json, labels json, type text, unit json)
                ) with ordinality as sent (name, source, value, ts, labels, type, unit, place)
            offset 0 -- noqa: AM09
        ) as field
        -- Keeps the planner from computing an expression once for each of its uses.
        offset 0 -- noqa: AM09
    ),
    -- An array of JSON becomes one of SQL, which reads strings as numbers too, and flattens what is nested.
    -- translate takes twenty times as long as replace.
    clock as materialized (
        select
            spelling.times as spelled,
            times.*
        from (select distinct item.times from item) as spelling
        cross join
            lateral internal.read_times(
                -- Elements keep their quotation marks; no time has a backslash, or the n of null.
                case
                    when
                        spelling.times like '[%'
                        and spelling.times not like '_%[%'
                        and strpos(spelling.times, '{') = 0
                        and strpos(spelling.times, '\') = 0
                        and strpos(spelling.times, 'n') = 0
                        then replace(replace(replace(spelling.times, '[', '{'), ']', '}'), '"', '\"')::text[]
                end,
                null,
                p_now
            ) as times
    ),
    numbers as materialized (
        select
            item.place,
            (sum(list.samples) over (order by item.place))::bigint as last_place,
            list.*
        from item
        cross join lateral (
            select
                count(*) as samples,
                count(number.value) as readings,
                min(number.value) as lowest,
                max(number.value) as highest,
                array_agg(number.value) as reading,
                bool_or(abs(number.value) < 1e-99 and number.value <> 0) as near_zero
            from (
                -- Adding zero drops the sign of zero.
                select entry.value + 0.0 as value
                from
                    unnest(
                        case
                            when
                                item.list like '[%'
                                and item.list not like '_%[%'
                                and strpos(item.list, '"') = 0
                                -- No SQL of JSON reads so many digits.
                                and (octet_length(item.list) < 16000 or item.list !~ '[0-9]{255}')
                                then replace(replace(item.list, '[', '{'), ']', '}')::double precision[]
                        end
                    ) as entry (value)
                offset 0 -- noqa: AM09
            ) as number
        ) as list
    ),
    known as materialized (
        select
            row(
                series.series_id,
                series.kind_id,
                series.kind_type = 'counter',
                clock.instants,
                numbers.reading,
                array(select generate_series(numbers.last_place - numbers.samples + 1, numbers.last_place)),
                clock.oldest,
                clock.newest
            )::data.series_samples as samples,
            numbers.samples as items,
            series.kind_name,
            -- As read_plain_metrics does; arrays have one comma less than elements.
            2 + num_nonnulls(item.labels, item.type, item.unit)
            + octet_length(spelling.text)
            - octet_length(replace(spelling.text, ',', ''))
            + 2 * numbers.samples as commas,
            -- The rules of check_metrics.
            coalesce(
                series.series_id is not null
                and internal.is_plain_series(
                    item.name, item.source, item.labels, item.type, item.unit,
                    series.kind_type, series.kind_unit, v_sources
                )
                and series.kind_type in ('gauge', 'counter')
                and internal.are_plain_samples(
                    series.kind_type, numbers.samples, numbers.readings, numbers.lowest, numbers.highest,
                    clock.times, clock.newest, p_now
                )
                and cardinality(clock.instants) = numbers.samples
                and not numbers.near_zero
                and (
                    clock.oldest > p_now - interval '1 hour'
                    or clock.oldest >= (select internal.oldest_accepted(p_now, 'sample'))
                ),
                false
            ) as good
        from item
        inner join numbers on item.place = numbers.place
        inner join clock on item.times = clock.spelled
        cross join lateral (select concat(item.name, item.source, item.labels, item.unit) as text) as spelling
        left join lateral internal.series_of(item.name, item.source, item.labels) as series on true
    ),
    verdict as (
        select
            coalesce(bool_and(known.good), false)
            and count(*) = (select count(*) from item)
            and sum(known.commas) - 1 = v_commas
            and sum(known.items) <= 10000 as plain
        from known
    )
    select
        verdict.plain,
        (select sum(known.items) from known),
        (select min((known.samples).oldest) from known),
        (select array_agg(known.samples) from known where verdict.plain),
        null,
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
comment on function internal.read_plain_lists(json, timestamptz) is
'As read_plain_metrics, an array of items whose ts and value are arrays of one length: RFC 3339 or seconds
since 1970, and numbers of a gauge or counter.';
