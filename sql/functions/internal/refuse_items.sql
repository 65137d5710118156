create or replace function internal.refuse_items(p_rejected jsonb, p_bad integer, p_items integer)
returns void
language plpgsql
as $$
declare
    v_sources constant text [] := internal.bound_sources();
begin
    if p_rejected @> '[{"slug": "source_of_key"}]' then
        raise exception '% of % items are refused, some for their source; nothing was stored', p_bad, p_items
            using errcode = 'SV403', constraint = 'source_of_key', column = 'source',
            detail = jsonb_build_object('items', p_rejected, 'sources', v_sources),
            hint = 'Send items of ' || internal.name_list(v_sources)
            || ' alone, or send partial=true to store those.';
    end if;
    raise exception '% of % items are invalid; nothing was stored', p_bad, p_items
        using errcode = 'SV422', constraint = 'items_refused',
        detail = jsonb_build_object('items', p_rejected),
        hint = 'Correct the items that params.items lists, or send partial=true to store the others.';
end
$$;
comment on function internal.refuse_items(jsonb, integer, integer) is
'Refuses a batch with the answer of explain_items: as a whole with 403 where an item is of a source that
the sender is not bound to.
Errors: items_refused, source_of_key.';
