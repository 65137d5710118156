create or replace function internal.complete_idempotency_key(
    p_operation text, p_key text, p_answer json, p_kinds text[]
)
returns void
language sql
begin atomic
    update data.idempotency_key
    set
        answer = p_answer,
        kinds = p_kinds
    where operation = p_operation and actor = internal.actor() and key = p_key;
end;
comment on function internal.complete_idempotency_key(text, text, json, text[]) is
'Stores the answer to a request with a claimed Idempotency-Key.';
