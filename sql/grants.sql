-- All privileges; everything else belongs to the owner.
revoke all on all functions in schema internal, api, analytics, ops from public;
revoke all on all procedures in schema internal from public;
-- Functions of api find extensions in public, so nobody else may create anything there.
revoke create on schema public from public;
revoke all on schema data, internal, api, analytics, ops, deploy from public;

grant usage on schema api to supervisor_app;
grant execute on all functions in schema api to supervisor_app;

grant usage on schema analytics to supervisor_analyst, supervisor_dba;
grant select on all tables in schema analytics to supervisor_analyst, supervisor_dba;
grant execute on all functions in schema analytics to supervisor_analyst, supervisor_dba;

-- A view calls its functions with the role of its reader; without usage of internal, nothing else can.
grant execute on function
internal.measure_sla, internal.show_health, internal.outages, internal.show_every_alert,
internal.shown_namespaces, internal.kpi_value, internal.kpi_scale, internal.kpi_status, internal.quotient,
internal.growth
to supervisor_analyst, supervisor_dba;

grant execute on function
internal.show_relations, internal.show_jobs, internal.show_backlog
to supervisor_dba;

-- What query_sql runs has the rights of an analyst. Where the owner may not give the function away, query_sql
-- is not available.
do $$
begin
    if not pg_has_role(current_user, 'supervisor_analyst', 'set') then
        execute 'grant supervisor_analyst to current_user with inherit true, set true';
    end if;
    execute format(
        'grant execute on function internal.run_statement(text, integer, integer) to %I', current_user
    );
    grant create on schema internal to supervisor_analyst;
    alter function internal.run_statement(text, integer, integer) owner to supervisor_analyst;
    revoke create on schema internal from supervisor_analyst;
exception
    when insufficient_privilege then
        raise warning 'query_sql is not available: %', sqlerrm;
end
$$;

grant usage on schema ops to supervisor_dba;
grant select on all tables in schema ops to supervisor_dba;
grant execute on all functions in schema ops to supervisor_dba;
