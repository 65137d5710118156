create or replace function internal.document_changes(p_before jsonb, p_after jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    with before as (
        select * from internal.document_leaves(p_before)
    ),

    after as (
        select * from internal.document_leaves(p_after)
    )

    select
        coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'field', coalesce(before.field, after.field), 'before', before.value, 'after', after.value
                )
                order by coalesce(before.field, after.field)
            ),
            '[]'
        )
    from before
    full join after on before.field = after.field
    where before.value is distinct from after.value;
end;
comment on function internal.document_changes(jsonb, jsonb) is
'What is different in two documents: [{field, before, after}] in order of field, a path such as
condition.window; null where one of them does not have it.';
