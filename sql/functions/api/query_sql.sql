create or replace function api.query_sql(p_sql text, p_limit integer)
returns json
language plpgsql volatile
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_bytes constant integer := 900000;
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000, false);
begin
    if length(p_sql) > 10000 then
        raise exception 'sql has % characters', length(p_sql)
            using errcode = 'SV422', constraint = 'sql_within_limit', column = 'sql',
            hint = 'Send at most 10000 characters.';
    end if;
    perform internal.check_statement(p_sql);
    if coalesce(
        (
            select proowner::regrole <> to_regrole('supervisor_statement') from pg_proc
            where oid = to_regprocedure('internal.run_statement(text, integer, integer)')
        ),
        true
    ) then
        raise exception 'query_sql is not available on this database'
            using errcode = 'SV501', constraint = 'statement_runner_owned',
            hint = 'Deploy as a role that may create supervisor_statement, or grant it.';
    end if;
    -- The caller rolls this back.
    insert into data.statement (backend, namespace) values (pg_backend_pid(), internal.namespace());
    perform internal.limit_statement();
    perform set_config('transaction_read_only', 'on', true);
    return internal.run_statement(p_sql, v_limit, c_bytes);
end
$$;
comment on function api.query_sql(text, integer) is
'Columns and at most p_limit rows (100 unless given, 1000 at most) of one statement that reads from the views
of analytics, as an analyst of the namespace of the transaction, which is to be rolled back. truncated says
that there are more rows, or more than 900 kB of them. A statement has 16 MB for a sort or a hash, and 1 GB
of temporary files.
Errors: limit_in_range, sql_within_limit, statement_present, statement_reads, statement_runner_owned.';
