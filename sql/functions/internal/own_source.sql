create or replace function internal.own_source(p_server text, p_source text) returns void
language plpgsql stable
as $$
declare
    v_sources constant text [] := internal.bound_sources();
begin
    if v_sources is null or p_source = any(v_sources) then
        return;
    end if;
    raise exception 'server "%" has %; the credentials are bound to %',
        p_server, coalesce(format('the source "%s"', p_source), 'no source'), internal.name_list(v_sources)
        using errcode = 'SV403', constraint = 'source_of_key', column = 'source',
        detail = jsonb_build_object('sources', v_sources),
        hint = 'Name a server of your own source, or use a key that is not bound.';
end
$$;
comment on function internal.own_source(text, text) is
'Refuses a change of a server of another source than the sender is bound to.
Errors: source_of_key.';
