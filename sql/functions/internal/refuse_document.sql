create or replace function internal.refuse_document(p_faults jsonb) returns void
language plpgsql
as $$
declare
    c_named constant integer := 5;
    v_first constant jsonb := p_faults -> 0;
    v_fields text;
begin
    select string_agg(field, ', ' order by field)
    into v_fields
    from (
        select distinct fault ->> 'field' as field
        from jsonb_array_elements(p_faults) as fault
        where fault ->> 'field' <> ''
        order by field
        limit c_named
    ) as named;
    raise exception '%', coalesce('invalid fields: ' || v_fields, 'invalid document')
        using errcode = 'SV422', constraint = 'document_refused', column = v_first ->> 'field',
        detail = jsonb_build_object('faults', p_faults),
        hint = concat_ws(': ', nullif(v_first ->> 'field', ''), v_first ->> 'detail')
        || case when jsonb_array_length(p_faults) > 1 then ' params.faults lists every broken rule.' else '' end;
end
$$;
comment on function internal.refuse_document(jsonb) is
'Refuses a document for its faults [{field, slug, detail}]; the message names the first five fields.
Errors: document_refused.';
