create or replace function internal.read_histogram(p_value jsonb) returns data.histogram
language plpgsql immutable
as $$
declare
    v_read data.histogram;
    v_bounds double precision [];
    v_counts bigint [];
    v_least double precision;
    v_most double precision;
    v_from_zero double precision;
    v_slack double precision;
begin
    if jsonb_typeof(p_value -> 'bounds') is distinct from 'array'
        or jsonb_typeof(p_value -> 'counts') is distinct from 'array'
        or jsonb_typeof(p_value -> 'sum') is distinct from 'number'
        or jsonb_typeof(p_value -> 'count') is distinct from 'number'
    then
        v_read.fault := 'A histogram is {"bounds": [...], "counts": [...], "sum": number, "count": number}.';
    elsif p_value - '{bounds,counts,sum,count}'::text [] <> '{}' then
        v_read.fault := 'A histogram has the fields bounds, counts, sum and count only.';
    elsif jsonb_array_length(p_value -> 'bounds') not between 1 and 500
        or jsonb_array_length(p_value -> 'counts') <> jsonb_array_length(p_value -> 'bounds') + 1
    then
        v_read.fault := 'A histogram has 1 to 500 bounds and one count more than bounds; the last one counts values above all bounds.';
    elsif jsonb_path_exists(p_value, 'strict $.bounds[*] ? (@.type() <> "number" || @ > 1e140 || @ < -1e140)') then
        v_read.fault := 'Every bound is a number between -1e140 and 1e140.';
    elsif jsonb_path_exists(
        (p_value -> 'counts') || (p_value -> 'count'),
        'strict $[*] ? (@.type() <> "number" || @ < 0 || @ > 2147483647 || @ != @.floor())'
    ) then
        v_read.fault := 'Every count is a whole number from 0 to 2147483647.';
    elsif (p_value ->> 'sum')::numeric not between -1e140 and 1e140 then
        v_read.fault := 'The sum is a number between -1e140 and 1e140.';
    end if;
    if v_read.fault is not null then
        return v_read;
    end if;

    v_bounds := array(select internal.read_number(bound) from jsonb_array_elements(p_value -> 'bounds') as bound);
    v_counts := array(select n::numeric::bigint from jsonb_array_elements_text(p_value -> 'counts') as n);
    if v_bounds <> array(select distinct bound from unnest(v_bounds) as bound order by bound) then
        v_read.fault := 'The bounds are in ascending order.';
        return v_read;
    elsif (select sum(n) from unnest(v_counts) as n) <> (p_value ->> 'count')::numeric then
        v_read.fault := 'The counts add up to count.';
        return v_read;
    end if;

    v_read.observations := (p_value ->> 'count')::numeric;
    v_read.sum := internal.read_number(p_value -> 'sum');
    if v_read.observations = 0 and v_read.sum <> 0 then
        v_read.fault := 'The sum of no observations is 0.';
        return v_read;
    end if;
    -- What the bounds say about the sum, with the rounding of a sum of 32-bit numbers.
    select
        sum(n * coalesce(v_bounds[place - 1], '-infinity')),
        sum(n * coalesce(v_bounds[place - 1], 0)),
        sum(n * coalesce(v_bounds[place], 'infinity')),
        1e-6 * sum(n * greatest(abs(v_bounds[place - 1]), abs(v_bounds[place])))
    into v_least, v_from_zero, v_most, v_slack
    from unnest(v_counts) with ordinality as bucket (n, place)
    where n > 0;
    if not v_read.sum between v_least - v_slack and v_most + v_slack then
        v_read.fault := format(
            'The counts and bounds allow a sum of %s, not %s.',
            case
                when v_least = '-infinity' then 'at most ' || v_most
                when v_most = 'infinity' then 'at least ' || v_least
                else v_least || ' to ' || v_most
            end,
            v_read.sum
        );
        return v_read;
    end if;
    -- The middle of a bucket represents it. The last one is open; so is the first one, unless its
    -- bound is above zero and the sum does not show that it has values below zero.
    select
        min(lower_bound),
        max(upper_bound),
        coalesce(sum(n * internal.sketch(middle)), 0),
        sum(n * internal.sketch_other(middle))
    into v_read.low, v_read.high, v_read.sketch, v_read.sketch_other
    from (
        select
            n,
            case
                when place > 1 then v_bounds[place - 1]
                when v_bounds[1] > 0 and v_read.sum >= v_from_zero - v_slack then 0
                else '-infinity'
            end as lower_bound,
            coalesce(v_bounds[place], 'infinity') as upper_bound
        from unnest(v_counts) with ordinality as bucket (n, place)
    ) as bucket
    cross join lateral (
        select case when lower_bound = '-infinity' then lower_bound else (lower_bound + upper_bound) / 2 end
            as middle
    ) as represented
    where n > 0;
    return v_read;
end
$$;
comment on function internal.read_histogram(jsonb) is
'A histogram as a sample: its observations, sum, extremes and sketches, or what is wrong with it.
Buckets are (bounds[i-1], bounds[i]], as in OpenTelemetry''s explicit-bucket histogram; the last one is
open. The first one starts at 0 if its bound is above 0, unless the sum is too small for that: then,
and with a bound of 0 or less, it is open too. Each histogram contains the observations since the
previous one.';
