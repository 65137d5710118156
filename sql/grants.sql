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

-- What query_sql runs has the rights of an analyst, and belongs to a role that analysts are not members of:
-- what is theirs, each of them can drop. Where the owner may not give it away, query_sql is not available.
do $$
begin
    if to_regrole('supervisor_statement') is null then
        begin
            create role supervisor_statement nologin;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end if;
    if not pg_has_role('supervisor_statement', 'supervisor_analyst', 'usage') then
        grant supervisor_analyst to supervisor_statement;
    end if;
    if not pg_has_role(current_user, 'supervisor_statement', 'set') then
        execute 'grant supervisor_statement to current_user with inherit true, set true';
    end if;
    execute format(
        'grant execute on function internal.run_statement(text, integer, integer) to %I', current_user
    );
    grant create on schema internal to supervisor_statement;
    alter function internal.run_statement(text, integer, integer) owner to supervisor_statement;
    revoke create on schema internal from supervisor_statement;
exception
    when insufficient_privilege then
        raise warning 'query_sql is not available: %', sqlerrm;
end
$$;

grant usage on schema ops to supervisor_dba;
grant select on all tables in schema ops to supervisor_dba;
grant execute on all functions in schema ops to supervisor_dba;
