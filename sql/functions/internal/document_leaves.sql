create or replace function internal.document_leaves(p_document jsonb)
returns table (field text, value jsonb)
language sql immutable parallel safe
begin atomic
    with recursive node (field, value) as (
        select
            null,
            p_document
        union all
        select
            concat_ws('.', node.field, member.key),
            member.value
        from node
        cross join jsonb_each(case when jsonb_typeof(node.value) = 'object' then node.value end) as member
    )

    select
        node.field,
        node.value
    from node
    where jsonb_typeof(node.value) <> 'object';
end;
comment on function internal.document_leaves(jsonb) is
'The members of a document that are no objects, with their paths, such as condition.window.';
