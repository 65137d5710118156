create or replace function internal.refuse_items(p_rejected jsonb, p_bad integer, p_items integer)
returns void
language plpgsql
as $$
begin
    raise exception '% of % items are invalid; nothing was stored', p_bad, p_items
        using errcode = 'SV422', constraint = 'items_refused',
        detail = jsonb_build_object('items', p_rejected),
        hint = 'Correct the items that params.items lists, or send partial=true to store the others.';
end
$$;
comment on function internal.refuse_items(jsonb, integer, integer) is
'Refuses a batch with the answer of explain_items.';
