create or replace function internal.key_status(p_key data.api_key, p_now timestamptz) returns text
language sql immutable parallel safe
begin atomic
    select case
        when (p_key).revoked_at <= p_now then 'revoked'
        when (p_key).expires_at <= p_now then 'expired'
        else 'active'
    end;
end;
comment on function internal.key_status(data.api_key, timestamptz) is
'active, expired or revoked. A key that was rotated is active until its grace period ends.';
