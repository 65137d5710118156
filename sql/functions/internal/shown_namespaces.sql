create or replace function internal.shown_namespaces() returns text[]
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
begin atomic
    select coalesce(
        -- What query_sql runs sees the namespace of the request.
        (
            select array_agg(namespace)
            from data.statement
            where backend = pg_backend_pid()
        ),
        -- Not current_user, which set role changes, and no setting, which anybody changes.
        (
            select array_agg(namespace)
            from data.namespace_login
            where
                login = (
                    select oid from pg_roles
                    where rolname = session_user
                )
        )
    );
end;
comment on function internal.shown_namespaces() is
'The namespaces that the views of analytics show to the login of the session; null for all of them.';
