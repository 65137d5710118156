create or replace function internal.backtest_step(
    p_condition jsonb, p_step text, p_from timestamptz, p_to timestamptz
)
returns interval
language plpgsql stable
as $$
declare
    -- A window that is read from rollups is computed once for each instant.
    c_coarse constant boolean := coalesce(
        internal.condition_window(p_condition) > internal.longest_sampled_window(), false
    );
    c_evaluations constant integer := 500000;
    -- 7 days get the step of 30: by default, a back-test counts the alerts of a suggested threshold alike.
    v_range constant interval := case
        when p_to - p_from >= interval '7 days' then greatest(p_to - p_from, interval '30 days')
        else p_to - p_from
    end;
    v_groups constant bigint := greatest(1, internal.count_groups(p_condition));
    v_most constant bigint := least(case when c_coarse then 1000 else 20000 end, c_evaluations / v_groups);
    v_step interval;
begin
    if p_step is not null then
        v_step := internal.read_step(p_step, p_from, p_to);
    else
        select coalesce(min(width), interval '1 day') into v_step
        from unnest('{15 s,30 s,1 minute,2 minutes,5 minutes,15 minutes,1 hour,6 hours,1 day}'::interval []) as width
        where
            width >= internal.evaluation_interval(p_condition)
            and v_range / case when c_coarse then 720 else 10000 end <= width
            and (p_to - p_from) / v_most <= width;
    end if;
    if (p_to - p_from) / v_most > v_step then
        raise exception 'the range has more than % steps of % s', v_most, extract(epoch from v_step)
            using errcode = 'SV422', constraint = 'steps_within_limit', column = 'step',
            hint = format(
                'Send a step of at least %s seconds, a shorter range, or a condition about fewer groups.',
                ceil(extract(epoch from p_to - p_from) / v_most)
            );
    end if;
    return v_step;
end
$$;
comment on function internal.backtest_step(jsonb, text, timestamptz, timestamptz) is
'The time between the evaluations of a back-test: p_step, else one that fits the condition, its groups and the
range; the same for 7 to 30 days, 5 minutes, or 1 hour where windows are longer than 6 hours, unless many groups
need a longer one.
Errors: step_well_formed, steps_within_limit.';
