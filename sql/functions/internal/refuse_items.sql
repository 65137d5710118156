create or replace function internal.refuse_items(p_rejected jsonb, p_items integer) returns void
language plpgsql
as $$
begin
    raise exception '% of % items are refused; nothing was stored.',
        jsonb_array_length(p_rejected), p_items
        using errcode = 'SV422', constraint = 'items_refused',
        detail = jsonb_build_object('items', p_rejected),
        hint = 'Mend the items named in params.items, or send with partial=true to store the others.';
end
$$;
comment on function internal.refuse_items(jsonb, integer) is
'Refuses a batch and names every bad item.';
