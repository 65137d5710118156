create or replace function internal.find_key(p_id text) returns data.api_key
language plpgsql
as $$
declare
    v_key data.api_key;
begin
    select * into v_key
    from data.api_key
    where key_id = p_id and internal.manages_namespace(namespace)
    for no key update;
    if not found then
        -- Somebody may have sent the whole key: no more of it is shown than what is public.
        raise exception 'unknown key "%"', left(p_id, 11)
            using errcode = 'SV404', constraint = 'key_unknown', column = 'id',
            hint = 'Send the 8 characters after sk_ alone; list_keys (GET /access/keys) lists the keys.';
    end if;
    return v_key;
end
$$;
comment on function internal.find_key(text) is
'The key with this id in a namespace that who acts may manage, locked.
Errors: key_unknown.';
