create or replace function internal.write_receipt(
    p_operation text, p_idempotency_key text, p_answer json, p_kinds text[]
)
returns void
language sql
begin atomic
    update data.receipt
    set
        answer = p_answer,
        kinds = p_kinds
    where operation = p_operation and idempotency_key = p_idempotency_key;
end;
comment on function internal.write_receipt(text, text, json, text[]) is
'Completes a claimed receipt with the answer.';
