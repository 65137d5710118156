create or replace function internal.lost_grants() returns table (role text, privilege text)
language sql stable
begin atomic
    with granted (role, schema) as (
        values
        ('supervisor_app', 'api'),
        ('supervisor_analyst', 'analytics'),
        ('supervisor_dba', 'analytics'),
        ('supervisor_dba', 'ops')
    )

    select
        granted.role,
        format('usage on schema %I', granted.schema)
    from granted
    where not has_schema_privilege(granted.role, granted.schema, 'usage')
    union all
    select
        granted.role,
        format('select on %I.%I', granted.schema, view.relname)
    from granted
    inner join pg_class as view on granted.schema = view.relnamespace::regnamespace::text
    where
        view.relkind = 'v'
        and not has_table_privilege(granted.role, view.oid, 'select')
    union all
    select
        granted.role,
        format('execute on function %I.%I', granted.schema, routine.proname)
    from granted
    inner join pg_proc as routine on granted.schema = routine.pronamespace::regnamespace::text
    where not has_function_privilege(granted.role, routine.oid, 'execute')
    union all
    select
        'supervisor_statement',
        'ownership of internal.run_statement'
    from pg_proc as routine
    where
        routine.oid = to_regprocedure('internal.run_statement(text, integer, integer)')
        and routine.proowner <> to_regrole('supervisor_statement')
        -- Who deploys may not give it away everywhere.
        and pg_has_role(current_user, to_regrole('supervisor_statement'), 'set');
end;
comment on function internal.lost_grants() is
'Privileges of grants.sql that the roles do not have: where one was revoked by hand, or all of a role by
DROP OWNED; also that of supervisor_statement, where who asks may give it.';
