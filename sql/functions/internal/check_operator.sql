create or replace function internal.check_operator() returns void
language plpgsql stable
as $$
begin
    if internal.namespace() <> '' then
        raise exception 'this concerns all namespaces, and you act in "%"', internal.namespace()
            using errcode = 'SV403', constraint = 'namespace_default',
            hint = 'Use a key of the default namespace.';
    end if;
end
$$;
comment on function internal.check_operator() is
'Refuses who acts in a namespace.
Errors: namespace_default.';
