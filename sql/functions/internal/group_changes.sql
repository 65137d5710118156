create or replace function internal.group_changes(p_kinds bigint[], p_window text, p_now timestamptz)
returns table (
    kind_id bigint,
    statistic text,
    dimension text,
    member text,
    value double precision,
    previous double precision,
    median double precision,
    mad double precision,
    windows integer,
    score double precision,
    contribution double precision
)
language sql stable
begin atomic
    with measured as materialized (
        select * from internal.measure_groups(p_kinds, p_window, p_now)
    ),

    -- Before the first data of a kind, nothing is known; afterwards, nothing is zero.
    known as materialized (
        select
            kind.kind_id,
            kind.type,
            -- The oldest window may have data in part; the one before is needed for a change.
            greatest(max(measured.place) - 1, least(max(measured.place), 1)) as windows
        from measured
        inner join data.kind on measured.kind_id = kind.kind_id
        group by kind.kind_id, kind.type
    ),

    place as (
        select
            part.kind_id,
            known.type,
            known.windows,
            part.dimension,
            part.member,
            span.place
        from (
            select distinct
                kind_id,
                dimension,
                member
            from measured
        ) as part
        inner join known on part.kind_id = known.kind_id
        -- That before is zero also where the kind is new.
        cross join lateral generate_series(0, greatest(known.windows, 1)) as span (place)
    ),

    term as materialized (
        select
            place.kind_id,
            picked.statistic,
            place.dimension,
            place.member,
            place.place,
            place.windows,
            picked.over,
            picked.under,
            picked.chance
        from place
        left join measured
            on
                place.kind_id = measured.kind_id
                and place.dimension = measured.dimension
                and place.member = measured.member
                and place.place = measured.place
        cross join lateral internal.quotient(measured.sum, measured.value_count) as mean (avg)
        cross join
            lateral (
                -- By chance alone, a count varies by its root, and a sum by the root of its squares.
                values
                ('count', '{gauge,histogram,fact}', coalesce(measured.count, 0), null, null),
                ('sum', '{fact}', coalesce(measured.sum, 0), null, sqrt(measured.squares)),
                ('increase', '{counter}', coalesce(measured.increase, 0), null, null),
                (
                    'avg', '{gauge,histogram}', measured.sum, measured.value_count,
                    sqrt(
                        greatest(
                            internal.quotient(measured.squares, measured.value_count)
                            - internal.product(mean.avg, mean.avg),
                            0
                        )
                    )
                )
            ) as picked (statistic, types, over, under, chance)
        where place.type = any(picked.types::text[])
    ),

    series as (
        select
            kind_id,
            statistic,
            dimension,
            member,
            windows,
            sum(over) filter (where place = 0) as over,
            sum(under) filter (where place = 0) as under,
            sum(over) filter (where place = 1) as over_before,
            sum(under) filter (where place = 1) as under_before,
            array_remove(
                array_agg(
                    case when statistic = 'avg' then internal.quotient(over, under) else over end
                ) filter (where place between 1 and windows),
                null
            ) as earlier,
            coalesce(
                avg(chance) filter (where place between 1 and windows), max(chance) filter (where place = 0)
            ) as chance
        from term
        group by kind_id, statistic, dimension, member, windows
    ),

    valued as (
        select
            series.*,
            case when statistic = 'avg' then internal.quotient(over, under) else over end as value,
            case when statistic = 'avg' then internal.quotient(over_before, under_before) else over_before end
                as previous,
            -- What is new comes from nothing.
            case when windows = 0 and statistic <> 'avg' then '{0}' else earlier end as compared
        from series
    ),

    compared as (
        select
            valued.*,
            usual.median,
            usual.mad,
            case
                when statistic = 'sum' then chance
                when statistic = 'avg' then internal.quotient(chance, sqrt(under))
                else sqrt(greatest(usual.median, 1))
            end as expected
        from valued
        cross join lateral internal.usual(valued.compared) as usual
    )

    select
        own.kind_id,
        own.statistic,
        own.dimension,
        own.member,
        own.value,
        own.previous,
        own.median,
        own.mad,
        own.windows,
        internal.change_score(own.value, own.median, own.mad, own.expected),
        case
            when own.statistic = 'avg'
                then internal.contribution(
                    coalesce(own.over, 0),
                    coalesce(own.under, 0),
                    coalesce(own.over_before, 0),
                    coalesce(own.under_before, 0),
                    whole.under,
                    whole.over_before,
                    whole.under_before
                )
            else own.value - own.previous
        end
    from compared as own
    inner join compared as whole
        on own.kind_id = whole.kind_id and own.statistic = whole.statistic and whole.dimension = '';
end;
comment on function internal.group_changes(bigint[], text, timestamptz) is
'What of kinds has changed in a window, as a whole (dimension is empty), by source and by label: value and
previous, what was usual in up to 8 windows before (windows is their number), the score of
internal.change_score, and what the group has added to the change of the whole. Statistics are count, and
avg of gauges and histograms, sum of facts, increase of counters.';
