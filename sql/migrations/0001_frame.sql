-- Extensions, schemas and roles that everything else uses.

create extension if not exists timescaledb;
-- Suggests the nearest name for an unknown one.
create extension if not exists pg_trgm;
-- Keeps the ranges of one server from overlapping.
create extension if not exists btree_gist;

create schema if not exists data;
comment on schema data is
'Tables, hypertables, continuous aggregates, their views and row types; only migrations change them.';
create schema if not exists internal;
comment on schema internal is
'Building blocks of the functions in api, and the procedures of jobs; not an interface.';
create schema if not exists api;
comment on schema api is
'Functions that REST, MCP and the command line call. Role supervisor_app may execute them.';
create schema if not exists analytics;
comment on schema analytics is
'Views and functions for analysts: a stable contract. Role supervisor_analyst may select from the views and
execute the functions.';
create schema if not exists ops;
comment on schema ops is
'Functions and views for database administrators. Role supervisor_dba may select from the views and execute
the functions.';

-- PostgreSQL would compile a plan at each call: 0.3 s for an aggregate, which runs for a few milliseconds.
-- Where the database belongs to another role, `doctor` asks for it.
do $$
begin
    if
        exists (select from pg_database where datname = current_database() and pg_has_role(datdba, 'usage'))
        and not exists (
            select
            from pg_db_role_setting
            cross join lateral unnest(setconfig) as setting
            where
                setdatabase = (select oid from pg_database where datname = current_database())
                and setrole = 0
                and setting like 'jit=%'
        )
    then
        execute format('alter database %I set jit = off', current_database());
    end if;
end
$$;

-- Roles belong to the cluster, so another database may create them at the same time.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['supervisor_app', 'supervisor_analyst', 'supervisor_dba'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
            begin
                execute format('create role %I nologin', v_role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
end
$$;
