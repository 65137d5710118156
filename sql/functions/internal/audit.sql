create or replace function internal.audit(
    p_action text, p_type text, p_name text, p_namespace text, p_document jsonb
) returns void
language plpgsql
as $$
declare
    v_head data.audit_head;
    v_event data.audit_event;
begin
    -- Held to the end of the transaction: what commits later has the higher number.
    select * into strict v_head
    from data.audit_head
    for no key update;
    v_event := row(
        v_head.number + 1,
        clock_timestamp(),
        internal.actor(),
        p_namespace,
        p_action,
        p_type,
        p_name,
        p_document,
        v_head.hash,
        null
    );
    v_event.hash := internal.audit_hash(v_event);
    insert into data.audit_event select v_event.*;
    update data.audit_head
    set number = v_event.number, hash = v_event.hash;
end
$$;
comment on function internal.audit(text, text, text, text, jsonb) is
'Appends an event to the audit, by the actor of the session. Who appends next waits for this
transaction, so call it last. p_document has no secret and no digest of one.';
