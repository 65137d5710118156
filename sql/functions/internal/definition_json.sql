create or replace function internal.definition_json(
    p_name text,
    p_created boolean,
    p_restored boolean,
    p_before integer,
    p_former jsonb,
    p_version integer,
    p_document jsonb,
    p_author text,
    p_defined_at timestamptz
)
returns json
language sql immutable parallel safe
begin atomic
    select json_build_object(
        'name', p_name,
        'outcome', case
            when p_created then 'created'
            when p_restored then 'restored'
            when p_version <> p_before then 'changed'
            else 'unchanged'
        end,
        'version', p_version,
        'author', p_author,
        'defined_at', p_defined_at,
        'changes', case
            when p_before is null or p_version = p_before then '[]'
            else internal.document_changes(p_former, p_document)
        end
    );
end;
comment on function internal.definition_json(
    text, boolean, boolean, integer, jsonb, integer, jsonb, text, timestamptz
) is
'The answer to a definition: {name, outcome, version, author, defined_at, changes}. p_before and p_former are
the version before and its document, null without one.';
