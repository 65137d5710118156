create or replace function internal.claim_receipt(
    p_operation text,
    p_idempotency_key text,
    p_body jsonb,
    p_now timestamptz,
    out answer json,
    out kinds text[]
)
language plpgsql
as $$
declare
    v_digest constant bytea := sha256(convert_to(p_body::text, 'utf8'));
    v_receipt data.receipt;
begin
    insert into data.receipt (operation, idempotency_key, digest, received_at)
    values (p_operation, p_idempotency_key, v_digest, p_now)
    on conflict (operation, idempotency_key) do nothing;
    if found then
        return;
    end if;
    select * into strict v_receipt
    from data.receipt
    where receipt.operation = p_operation and receipt.idempotency_key = p_idempotency_key;
    if v_receipt.digest <> v_digest then
        raise exception 'Idempotency-Key % was used for another body.', p_idempotency_key
            using errcode = 'SV409', constraint = 'idempotency_key_reused',
            hint = 'Choose a new key for a new request; repeat a request with its body unchanged.';
    end if;
    answer := v_receipt.answer;
    kinds := v_receipt.kinds;
end
$$;
comment on function internal.claim_receipt(text, text, jsonb, timestamptz) is
'The first answer to a request with this Idempotency-Key; null when this is the first.
A second request that comes while the first is under way waits for its commit.';
