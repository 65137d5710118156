create or replace function internal.audit_hash(p_event data.audit_event) returns bytea
language sql stable
begin atomic
    -- jsonb has one text for one content, whatever the settings of the session are.
    select
        sha256(convert_to(
            jsonb_build_array(
                p_event.number,
                (extract(epoch from p_event.at) * 1000000)::bigint,
                p_event.actor,
                p_event.namespace,
                p_event.action,
                p_event.object_type,
                p_event.object_name,
                p_event.document,
                encode(p_event.previous_hash, 'hex')
            )::text,
            'utf8'
        ));
end;
comment on function internal.audit_hash(data.audit_event) is
'SHA-256 of an event: of the JSON array of number, microseconds of at since 1970, actor, namespace, action,
object_type, object_name, document and previous_hash in hexadecimal.';
