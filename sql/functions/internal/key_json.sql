create or replace function internal.key_json(p_key data.api_key, p_now timestamptz) returns json
language sql stable
begin atomic
    select json_build_object(
        'id', (p_key).key_id,
        'owner', (p_key).owner,
        'status', internal.key_status(p_key, p_now),
        'scopes', (p_key).scopes,
        'sources', (p_key).sources,
        'namespace', (p_key).namespace,
        'created_at', (p_key).created_at,
        'created_by', (p_key).created_by,
        'expires_at', (p_key).expires_at,
        'last_used_at', (
            select used_at from data.api_key_use
            where key_id = (p_key).key_id
        ),
        'revoked_at', (p_key).revoked_at,
        'revoked_by', (p_key).revoked_by,
        'reason', (p_key).reason,
        'rotated_from', (p_key).rotated_from,
        'rotated_to', (
            select key_id from data.api_key
            where rotated_from = (p_key).key_id
        )
    );
end;
comment on function internal.key_json(data.api_key, timestamptz) is
'A key without its digest: {id, owner, status, scopes, sources, namespace, created_at, created_by,
expires_at, last_used_at, revoked_at, revoked_by, reason, rotated_from, rotated_to}.';
