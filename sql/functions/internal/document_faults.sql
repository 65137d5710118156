create or replace function internal.document_faults(p_name text, p_document jsonb, p_schema jsonb)
returns table (field text, slug text, detail text)
language plpgsql immutable
as $$
declare
    c_largest constant integer := 524288;
begin
    if octet_length(p_document::text) > c_largest then
        field := '';
        slug := 'document_within_limit';
        detail := format(
            'The document has %s bytes. Send at most %s.', octet_length(p_document::text), c_largest
        );
        return next;
        return;
    end if;
    if p_document ->> 'name' <> p_name then
        field := 'name';
        slug := 'name_matches_path';
        detail := format(
            'The document names "%s". Send the name in the path, or leave it out.',
            left(p_document ->> 'name', 200)
        );
        return next;
    end if;
    return query
    select * from internal.schema_faults(p_document, p_schema);
end
$$;
comment on function internal.document_faults(text, jsonb, jsonb) is
'The rules that every document breaks that is stored under a name: its JSON Schema, its size, and that it
names itself as its path does.';
