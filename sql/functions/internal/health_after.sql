create or replace aggregate internal.health_after ( -- noqa: PRS
    data.health_step, text, timestamptz, text, integer, integer, interval
) ( -- noqa: LT01
    sfunc = internal.step_health,
    stype = data.health_step
);
comment on aggregate internal.health_after (
    data.health_step, text, timestamptz, text, integer, integer, interval
) is
'State of a signal after reports in the order of their times, starting from the first argument; see
internal.next_health.';
