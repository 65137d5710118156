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
    contribution double precision,
    whole_value double precision,
    whole_previous double precision
)
language sql stable
begin atomic
    with measured as (
        select
            line.*,
            mean.avg,
            sqrt(line.squares) as root,
            sqrt(
                greatest(
                    internal.quotient(line.squares, line.value_count) - internal.product(mean.avg, mean.avg),
                    0
                )
            ) as deviation,
            max(line.place) over (partition by line.kind_id) as oldest
        from internal.measure_groups(p_kinds, p_window, p_now) as line
        cross join lateral internal.quotient(line.sum, line.value_count) as mean (avg)
    ),

    -- Before the first data of a kind, nothing is known. The oldest window may have data in part; the one
    -- before is needed for a change.
    known as (
        select
            measured.*,
            greatest(oldest - 1, least(oldest, 1)) as windows
        from measured
    ),

    part as materialized (
        select
            kind_id,
            dimension,
            member,
            windows,
            sum(count) filter (where place = 0) as count,
            sum(count) filter (where place = 1) as count_before,
            array_agg(count) filter (where place between 1 and windows) as counts,
            sum(value_count) filter (where place = 0) as value_count,
            sum(value_count) filter (where place = 1) as value_count_before,
            sum(sum) filter (where place = 0) as sum,
            sum(sum) filter (where place = 1) as sum_before,
            array_agg(sum) filter (where place between 1 and windows and sum is not null) as sums,
            array_agg(avg) filter (where place between 1 and windows and avg is not null) as means,
            sum(increase) filter (where place = 0) as increase,
            sum(increase) filter (where place = 1) as increase_before,
            array_agg(increase) filter (where place between 1 and windows and increase is not null)
                as increases,
            coalesce(avg(root) filter (where place between 1 and windows), max(root) filter (where place = 0))
                as root,
            coalesce(
                avg(deviation) filter (where place between 1 and windows),
                max(deviation) filter (where place = 0)
            ) as deviation
        from known
        group by kind_id, dimension, member, windows
    ),

    term as (
        select
            part.kind_id,
            part.dimension,
            part.member,
            part.windows,
            picked.*
        from part
        inner join data.kind on part.kind_id = kind.kind_id
        cross join
            lateral (
                values
                ('count', '{gauge,histogram,fact}', count, null, count_before, null, counts, null),
                ('sum', '{fact}', sum, null, sum_before, null, sums, root),
                ('increase', '{counter}', increase, null, increase_before, null, increases, null),
                (
                    'avg', '{gauge,histogram}', sum, value_count, sum_before, value_count_before, means,
                    internal.quotient(deviation, sqrt(value_count))
                )
            ) as picked (statistic, types, over, under, over_before, under_before, earlier, chance)
        where kind.type = any(picked.types::text[])
    ),

    valued as (
        select
            term.*,
            case
                when statistic = 'avg' then internal.quotient(over, under)
                else coalesce(over, 0)
            end as value,
            case
                when statistic = 'avg' then internal.quotient(over_before, under_before)
                else coalesce(over_before, 0)
            end as previous,
            case
                when statistic = 'avg' then earlier
                -- After the first data, nothing is zero; what is new comes from nothing.
                else
                    earlier || array_fill(
                        double precision '0', array[greatest(windows, 1) - coalesce(cardinality(earlier), 0)]
                    )
            end as compared
        from term
    )

    select
        valued.kind_id,
        valued.statistic,
        valued.dimension,
        valued.member,
        valued.value,
        valued.previous,
        usual.median,
        usual.mad,
        valued.windows,
        internal.change_score(
            valued.value,
            usual.median,
            usual.mad,
            -- By chance alone, a count varies by its root, and a sum by the root of its squares.
            case
                when valued.statistic in ('count', 'increase') then sqrt(greatest(usual.median, 1))
                else valued.chance
            end
        ),
        case
            when valued.statistic = 'avg'
                then internal.contribution(
                    coalesce(valued.over, 0),
                    coalesce(valued.under, 0),
                    coalesce(valued.over_before, 0),
                    coalesce(valued.under_before, 0),
                    max(valued.under) filter (where valued.dimension = '') over whole,
                    max(valued.over_before) filter (where valued.dimension = '') over whole,
                    max(valued.under_before) filter (where valued.dimension = '') over whole
                )
            else valued.value - valued.previous
        end,
        max(valued.value) filter (where valued.dimension = '') over whole,
        max(valued.previous) filter (where valued.dimension = '') over whole
    from valued
    cross join lateral internal.usual(valued.compared) as usual
    window whole as (partition by valued.kind_id, valued.statistic);
end;
comment on function internal.group_changes(bigint[], text, timestamptz) is
'What of kinds has changed in a window, as a whole (dimension is empty), by source and by label: value and
previous, what was usual in up to 8 windows before (windows is their number), the score of
internal.change_score, and what the group has added to the change of the whole, which has whole_value and
whole_previous. Statistics are count, and avg of gauges and histograms, sum of facts, increase of counters.';
