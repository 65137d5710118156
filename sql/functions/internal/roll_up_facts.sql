create or replace function internal.roll_up_facts(p_facts data.sample[], p_now timestamptz) returns void
language plpgsql
as $$
declare
    c_day constant interval := interval '24 hours';
    v_rollup record;
    v_series record;
begin
    if p_facts is null then
        return;
    end if;
    -- No refresh may be at these days, which it would erase, and nobody else may count in them.
    perform internal.wait_for_refresh();
    for v_rollup in
        select
            name,
            name = 'sample_1d' as by_series,
            internal.hypertable(name) as hypertable,
            time_bucket(c_day, p_now - internal.retention(name) + c_day) as kept_from
        from internal.rollups()
        where width = c_day
    loop
        for v_series in
            select
                fact.kind_id,
                case when v_rollup.by_series then fact.series_id end as series_id,
                array_agg(fact) as facts,
                array_agg(distinct time_bucket(c_day, fact.ts)) as days
            from unnest(p_facts) as fact
            where fact.ts >= v_rollup.kept_from
            group by 1, 2
            order by 1, 2
        loop
            execute format(
                -- The expressions of the rollups in 0004_rollups.sql, as far as they concern facts.
                $merge$
                with former as (
                    delete from %1$s
                    where kind_id = $1 and %2$s and bucket = any($3)
                    returning *
                ),
                added as (
                    select
                        $1,
                        $2,
                        time_bucket(interval '24 hours', ts) as bucket,
                        count(*),
                        count(value),
                        sum(value),
                        var_pop(value) * count(value),
                        min(value),
                        max(value),
                        (
                            max(array[extract(epoch from ts)::double precision, value])
                            filter (where value is not null)
                        )[2],
                        max(ts) filter (where value is not null),
                        max(ts),
                        null::double precision,
                        null::timestamptz,
                        null::double precision,
                        sum(internal.sketch(value)),
                        sum(internal.sketch_other(value))
                    from unnest($4) as fact
                    group by 3
                )
                insert into %1$s
                select
                    kind_id,
                    series_id,
                    bucket,
                    sum(observations)::bigint,
                    sum(value_count)::bigint,
                    sum(value_sum),
                    case when count(squared_deviations) > 0 then (
                        internal.merge_moments(array[value_count, value_sum, squared_deviations])
                        filter (where value_count > 0)
                    )[3] end,
                    min(value_min),
                    max(value_max),
                    (
                        max(array[extract(epoch from value_last_at)::double precision, value_last])
                        filter (where value_last is not null)
                    )[2],
                    max(value_last_at),
                    max(last_at),
                    null,
                    null,
                    null,
                    sum(sketch),
                    sum(sketch_other)
                from (
                    select * from former
                    union all
                    select * from added
                ) as part
                group by kind_id, series_id, bucket
                $merge$,
                v_rollup.hypertable,
                case when v_rollup.by_series then 'series_id = $2' else 'series_id is null' end
            ) using v_series.kind_id, v_series.series_id, v_series.days, v_series.facts;
        end loop;
    end loop;
    update data.complete_since
    set since = newest.ts
    from (select time_bucket(c_day, max(fact.ts)) + c_day as ts from unnest(p_facts) as fact) as newest
    where complete_since.relation = 'sample' and newest.ts > complete_since.since;
end
$$;
comment on function internal.roll_up_facts(data.sample[], timestamptz) is
'Counts stored facts that are older than samples are kept in their days, as far back as days are kept. No
refresh reaches these days afterwards.
Errors: refresh_ended.';
