create or replace function internal.claim_idempotency_key(
    p_operation text,
    p_key text,
    p_body jsonb,
    p_now timestamptz,
    out answer json,
    out kinds text[]
)
language plpgsql
as $$
declare
    v_digest constant bytea := sha256(convert_to(p_body::text, 'utf8'));
    v_stored data.idempotency_key;
begin
    if not internal.fits(p_key, 'idempotency_key') then
        raise exception 'invalid Idempotency-Key "%"', left(p_key, 100)
            using errcode = 'SV422', constraint = 'idempotency_key_well_formed', column = 'idempotency_key',
            hint = 'Send 1 to 200 characters without white space and control characters, such as a UUID.';
    end if;
    insert into data.idempotency_key (operation, actor, key, body_digest, received_at)
    values (p_operation, internal.actor(), p_key, v_digest, p_now)
    on conflict (namespace, operation, actor, key) do nothing;
    if found then
        return;
    end if;
    -- Locked, so that this commit waits for a synchronous standby: the first one may have given up waiting.
    select * into strict v_stored
    from data.idempotency_key
    where
        idempotency_key.operation = p_operation
        and idempotency_key.actor = internal.actor()
        and idempotency_key.key = p_key
    for update;
    if v_stored.body_digest <> v_digest then
        raise exception 'Idempotency-Key "%" was used with another body', p_key
            using errcode = 'SV409', constraint = 'idempotency_key_reused',
            hint = 'Use a new key for a new request; repeat a request with an unchanged body.';
    end if;
    answer := v_stored.answer;
    kinds := v_stored.kinds;
end
$$;
comment on function internal.claim_idempotency_key(text, text, jsonb, timestamptz) is
'The first answer to a request of the sender with this Idempotency-Key; null when this request is the first.
A request that comes while the first one runs waits until that one commits.
Errors: idempotency_key_well_formed, idempotency_key_reused.';
