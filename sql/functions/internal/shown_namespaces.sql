create or replace function internal.shown_namespaces() returns text[]
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    -- Not current_user, which set role changes, and no setting, which anybody changes.
    select array_agg(namespace)
    from data.namespace_login
    where
        login = (
            select oid from pg_roles
            where rolname = session_user
        );
end;
comment on function internal.shown_namespaces() is
'The namespaces that the views of analytics show to the login of the session; null for all of them.';
