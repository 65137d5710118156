create or replace function internal.limit_backtest() returns void
language plpgsql
as $$
declare
    c_limit constant text := '10s';
    v_limit constant interval := current_setting('statement_timeout');
begin
    -- A server with one backend looks at the setting while a statement runs. Others take it up with the next
    -- one, for they have other backends for other clients.
    if v_limit = '0' or v_limit > c_limit::interval then
        perform set_config('statement_timeout', c_limit, true);
    end if;
end
$$;
comment on function internal.limit_backtest() is
'Limits the rest of the transaction to 10 s, where one backend serves everyone, unless its limit is lower.';
