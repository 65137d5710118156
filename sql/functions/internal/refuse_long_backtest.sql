create or replace function internal.refuse_long_backtest() returns void
language plpgsql immutable
as $$
begin
    raise exception 'the back-test exceeded its time limit'
        using errcode = 'SV504', constraint = 'backtest_within_limit', column = 'from',
        hint = 'Send a shorter range, a longer step, or a condition about fewer series.';
end
$$;
comment on function internal.refuse_long_backtest() is
'Says what to do about a back-test that was canceled.
Errors: backtest_within_limit.';
