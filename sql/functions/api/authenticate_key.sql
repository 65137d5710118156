create or replace function api.authenticate_key(p_key_id text, p_digest bytea, p_now timestamptz)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_key data.api_key;
begin
    -- The comparison may take longer the more bytes are equal. That reveals nothing: nobody can
    -- choose the HMAC of a key without the secret of the service.
    select * into v_key
    from data.api_key
    where key_id = p_key_id and digest = p_digest;
    if not found then
        return json_build_object('status', 'unknown');
    end if;
    return json_build_object(
        'status', internal.key_status(v_key, p_now),
        'id', v_key.key_id,
        'owner', v_key.owner,
        'scopes', v_key.scopes,
        'sources', v_key.sources,
        'namespace', v_key.namespace,
        -- A key in its grace period ends when it is over.
        'ends_at', least(v_key.expires_at, v_key.revoked_at)
    );
end
$$;
comment on function api.authenticate_key(text, bytea, timestamptz) is
'Who a key belongs to, by its id and the digest of all of it: {status, id, owner, scopes, sources, namespace,
ends_at}. status is active, expired, revoked or, alone, unknown; only an active key proves anything. The
others are distinguished for the log, not for the client. ends_at is when an active key becomes expired or
revoked; null for never.';
