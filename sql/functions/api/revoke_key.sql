create or replace function api.revoke_key(p_id text, p_reason text, p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_key data.api_key := internal.find_key(p_id);
    v_revoked constant boolean := coalesce(v_key.revoked_at > p_now, true);
begin
    if length(p_reason) not between 1 and 1000 then
        raise exception 'reason is not a text of 1 to 1000 characters'
            using errcode = 'SV422', constraint = 'reason_in_range', column = 'reason',
            hint = 'Send why the key is revoked as reason, or leave it out.';
    end if;
    if v_revoked then
        update data.api_key
        set revoked_at = p_now, revoked_by = internal.actor(), reason = p_reason
        where key_id = p_id
        returning * into v_key;
    end if;
    return internal.join_json(
        internal.key_json(v_key, p_now),
        json_build_object('outcome', case when v_revoked then 'revoked' else 'unchanged' end)
    );
end
$$;
comment on function api.revoke_key(text, text, timestamptz) is
'Revokes a key, for good: it is refused from now on. A key that is revoked already stays as it is, with its
reason. Returns the key as list_keys shows it, with outcome: revoked or unchanged.
Errors: key_unknown, reason_in_range.';
