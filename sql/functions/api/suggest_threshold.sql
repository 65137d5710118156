create or replace function api.suggest_threshold(
    p_condition jsonb,
    p_per_month integer,
    p_from timestamptz,
    p_to timestamptz,
    p_step text,
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
    -- A condition that holds more often than not says nothing.
    c_most constant numeric := 0.5;
    c_gap constant interval := '1 day';
    v_to constant timestamptz := coalesce(p_to, p_now);
    v_from constant timestamptz := coalesce(p_from, v_to - interval '30 days');
    v_rule constant data.alert_rule_version := internal.read_tested_rule(
        jsonb_build_object(
            'condition',
            case
                when jsonb_typeof(p_condition) = 'object' and coalesce(p_condition ->> 'type', 'metric') = 'metric'
                    then case
                        -- It has neither, and is refused below.
                        when p_condition ->> 'statistic' = 'absent' then '{"type": "metric"}' || p_condition
                        else '{"type": "metric", "operator": ">"}' || p_condition || '{"threshold": 0}'
                    end
                else p_condition
            end
        ),
        null
    );
    v_operator constant text := v_rule.document #>> '{condition,operator}';
    -- Downward conditions are upward ones of the negated values.
    v_sign constant integer := case when v_operator like '<%' then -1 else 1 end;
    v_step interval;
    v_answer json;
begin
    if p_per_month is null or not p_per_month between 0 and 100000 then
        raise exception 'per_month is not between 0 and 100000'
            using errcode = 'SV422', constraint = 'per_month_in_range', column = 'per_month',
            hint = 'Send how many alerts a month you want, such as 2.';
    elsif v_operator is null or v_operator in ('==', '!=') then
        raise exception 'the condition has no threshold to suggest'
            using errcode = 'SV422', constraint = 'threshold_suggested', column = 'condition',
            hint = 'Send a condition of type metric with a statistic other than absent and an operator of >, >=, < or <=.';
    end if;
    perform internal.check_range(v_from, v_to);
    perform internal.limit_backtest();
    v_step := internal.backtest_step(v_rule.document -> 'condition', p_step, v_from, v_to);
    with reading as materialized (
        select
            v_sign * measured.value as value,
            v_sign * lag(measured.value) over earlier as before,
            lag(measured.at) over earlier as before_at,
            measured.at
        from internal.measure_conditions(array[v_rule], v_from, v_to, v_step) as measured
        where measured.value is not null
        window earlier as (partition by measured.label order by measured.at)
    ),
    -- A pause between readings is time without data only when it is long.
    covered as (
        select
            case
                when exists (select from reading)
                    then least(
                        extract(epoch from v_to - v_from),
                        sum(extract(epoch from case when pause <= c_gap then pause else v_step end))
                    )
                else 0
            end::double precision as seconds
        from (
            select at - lag(at, 1, v_from) over (order by at) as pause
            from (
                select at from reading
                union
                select v_to
            ) as instant
        ) as known
    ),
    wanted as (
        select p_per_month * covered.seconds / 2592000 as alerts
        from covered
    ),
    -- An alert begins where the threshold lies between the value before and this one.
    edge as (
        select
            value as level,
            case when before is null or value > before or before_at < at - v_step then 1 else 0 end as begins,
            1 as held
        from reading
        union all
        select
            before,
            -1,
            0
        from reading
        where value > before and before_at >= at - v_step
    ),
    level as (
        select
            level,
            -- How many begin, and how often it holds, with a threshold just below this value.
            sum(sum(begins)) over (order by level desc) as alerts,
            sum(sum(held)) over (order by level desc) as held
        from edge
        group by level
    ),
    judged as (
        select
            level,
            lag(alerts, 1, 0) over (order by level desc) as above,
            lag(held, 1, 0) over (order by level desc) as held_above,
            -- `>=` needs the next value, or one that is above all of them.
            coalesce(
                lag(level) over (order by level desc), level + 1e-9 * greatest(abs(level), 1)
            ) as next_level,
            max(alerts) over (order by level desc) as most,
            held
        from level
    ),
    chosen as (
        -- The lowest value above which there were never more alerts than wanted, nor too long ones.
        select
            case when v_operator like '%=' then judged.next_level else judged.level end as level,
            judged.above,
            judged.held_above
        from judged
        cross join wanted
        where judged.most > wanted.alerts or judged.held > (select count(*) from reading) * c_most
        order by judged.level desc
        limit 1
    )
    select json_build_object(
        'from', v_from,
        'to', v_to,
        'step_seconds', extract(epoch from v_step)::double precision,
        'operator', v_operator,
        'threshold', v_sign * chosen.level,
        'alerts', coalesce(chosen.above, 0),
        'per_month', internal.quotient(chosen.above * 2592000::double precision, covered.seconds),
        'holds_percent', 100 * internal.quotient(
            chosen.held_above::double precision, (select count(*) from reading)::double precision
        ),
        'coverage_percent', 100 * covered.seconds / extract(epoch from v_to - v_from)::double precision,
        'evaluations', (select count(*) from reading)
    )
    into v_answer
    from covered
    left join chosen on true;
    return v_answer;
exception when query_canceled then
    perform internal.refuse_long_backtest();
end
$$;
comment on function api.suggest_threshold(
    jsonb, integer, timestamptz, timestamptz, text, timestamptz
) is
'The threshold with which a condition of type metric would have begun to hold at most p_per_month times in
30 days with data, as often as that allows, by the history of [p_from, p_to], by default the last 30 days:
{from, to, step_seconds, operator, threshold, alerts, per_month, holds_percent, coverage_percent,
evaluations}. The condition would have held in holds_percent of the evaluations with data, at most in half of
them. coverage_percent is the share of the time with data; gaps of up to a day count as such. threshold is
null without history. A rule with a "for" fires less often.
Errors: document_refused, per_month_in_range, threshold_suggested, from_before_to, from_in_range,
step_well_formed, steps_within_limit, backtest_within_limit.';
