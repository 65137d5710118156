create or replace function ops.bind_login(p_login text, p_namespaces text[]) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_login constant oid := (select oid from pg_roles where rolname = p_login);
    v_bad constant text := (
        select min(name) from unnest(p_namespaces) as sent (name)
        where internal.fits(name, 'namespace') is not true
    );
begin
    if v_login is null then
        raise exception 'unknown role "%"', left(p_login, 200)
            using errcode = 'SV404', constraint = 'login_unknown', column = 'login',
            hint = 'Create the role first; select rolname from pg_roles lists all roles.';
    elsif v_bad is not null or array_position(p_namespaces, null) is not null then
        raise exception 'invalid namespace "%"', left(v_bad, 100)
            using errcode = 'SV422', constraint = 'namespace_well_formed', column = 'namespaces',
            hint = 'Send at most 63 lower-case letters, digits and hyphens, with no hyphen first, or an empty text for the default one.';
    end if;
    -- A view never shows more in between.
    lock table data.namespace_login in share row exclusive mode;
    delete from data.namespace_login
    where login = v_login;
    insert into data.namespace_login (login, namespace)
    select distinct
        v_login, name
    from unnest(p_namespaces) as sent (name);
end
$$;
comment on function ops.bind_login(text, text[]) is
'Lets the views of analytics show a login these namespaces only, an empty text being the default one. An
empty array ends that: the login sees all of them.
Errors: login_unknown, namespace_well_formed.';
