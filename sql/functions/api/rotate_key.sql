create or replace function api.rotate_key(
    p_id text, p_key_id text, p_digest bytea, p_grace text, p_expires_at timestamptz, p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_longest constant interval := '7 days';
    v_old constant data.api_key := internal.find_key(p_id);
    v_new data.api_key := v_old;
    v_successor constant text := (select key_id from data.api_key where rotated_from = p_id);
    v_grace interval := '0';
    v_end timestamptz;
begin
    if v_successor is not null then
        raise exception 'key "%" was rotated already', p_id
            using errcode = 'SV409', constraint = 'key_rotated_once', column = 'id',
            detail = jsonb_build_object('rotated_to', v_successor),
            hint = format('Use key %s, or rotate it, if it was lost.', v_successor);
    elsif internal.key_status(v_old, p_now) <> 'active' then
        raise exception 'key "%" is %', p_id, internal.key_status(v_old, p_now)
            using errcode = 'SV409', constraint = 'key_active', column = 'id',
            hint = 'Create a new key; only an active one can be rotated.';
    end if;
    if p_grace is not null then
        if internal.fits(p_grace, 'duration') and p_grace::interval <= c_longest then
            v_grace := p_grace::interval;
        else
            raise exception 'invalid grace "%"', left(p_grace, 100)
                using errcode = 'SV422', constraint = 'grace_in_range', column = 'grace',
                hint = 'Send 0s to 7d, such as 30m or 24h.';
        end if;
    end if;

    v_new.key_id := p_key_id;
    v_new.digest := p_digest;
    v_new.created_at := p_now;
    v_new.created_by := internal.actor();
    v_new.expires_at := coalesce(p_expires_at, v_old.expires_at);
    v_new.revoked_at := null;
    v_new.revoked_by := null;
    v_new.reason := null;
    v_new.rotated_from := p_id;
    -- One that expires within the grace period still does.
    v_end := least(p_now + v_grace, v_old.expires_at);
    update data.api_key
    set revoked_at = p_now + v_grace, revoked_by = internal.actor(), reason = 'rotated'
    where key_id = p_id;
    perform internal.insert_key(v_new, p_now);
    return internal.join_json(
        internal.key_json(v_new, p_now),
        json_build_object('outcome', 'created', 'rotated_from_ends_at', v_end)
    );
end
$$;
comment on function api.rotate_key(text, text, bytea, text, timestamptz, timestamptz) is
'Replaces the active key p_id by a new one with the same owner, scopes, sources, namespace and expiry, or with
p_expires_at; of the new one, the service has made the id p_key_id and the digest p_digest. The old one
stays valid for p_grace, 0s to 7d, by default not at all. A key is rotated once: if the answer was lost,
rotate the new one. Returns the new key as list_keys shows it, with outcome and rotated_from_ends_at, when
the old one is refused.
Errors: key_unknown, key_active, key_rotated_once, grace_in_range, expires_in_future, count_within_quota.';
