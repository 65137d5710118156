create or replace function internal.raw_part(
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_statistics text[]
)
returns setof data.rollup
language plpgsql stable
-- The plan does not depend on the arguments, and takes longer to make than to run.
set plan_cache_mode = 'force_generic_plan'
-- A plan that sorts by kind reads every chunk; one that does not leaves out those outside of the range.
set enable_sort = off
as $$
declare
    v_histograms bigint [];
begin
    -- A query that finds nothing costs its start.
    if p_from >= p_to then
        return;
    end if;
    perform internal.choose_plans('sample');
    if p_whole <> '{}' then
        -- A statement without what no kind needs starts in half the time.
        v_histograms := array(
            select kind_id from data.every_kind
            where kind_id = any(p_whole) and type = 'histogram'
        );
        if cardinality(v_histograms) < cardinality(p_whole) then
            return query select * from internal.raw_kinds(p_whole, p_from, p_to, false, false);
        end if;
        if v_histograms <> '{}' then
            return query select * from internal.raw_kinds(v_histograms, p_from, p_to, true, false);
        end if;
    end if;
    -- Separate statements: a plan for all would not find series by their index.
    if
        p_kinds <> '{}' and p_series is null and p_step is null
        and not internal.needs(p_statistics, '{stddev,last,p50,p90,p95,p99,rate_per_second}')
    then
        return query select * from internal.raw_totals(p_kinds, p_from, p_to);
    elsif p_kinds <> '{}' and p_series is null then
        return query select * from internal.raw_rollup(p_kinds, p_from, p_to, p_step, p_statistics);
    elsif p_kinds <> '{}' then
        return query
        select * from internal.raw_buckets(p_kinds, p_series, true, p_from, p_to, p_step, p_statistics);
    end if;
end
$$;
comment on function internal.raw_part(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, interval, text[]
) is
'Buckets of samples that cover [p_from, p_to), for the parts that no rollup has: one for each of p_whole,
steps, or one where p_step is null, of p_kinds by series, of those in p_series unless it is null. What
p_statistics does not name may be null, null means all. value_last of p_whole is null, see
internal.newest_values.';
