create or replace function internal.refuse_items(
    p_rejected jsonb, p_bad integer, p_items integer, p_noun text default 'item'
)
returns void
language plpgsql
as $$
declare
    v_sources constant text [] := internal.bound_sources();
    v_bad constant text := case p_items
        when 1 then 'the item'
        else format('%s of %s %ss', p_bad, p_items, p_noun)
    end || case p_bad when 1 then ' is' else ' are' end;
begin
    if p_rejected @> '[{"slug": "source_of_key"}]' then
        raise exception '% refused%; nothing was stored',
            v_bad, case p_bad when 1 then ' for its source' else ', some for their source' end
            using errcode = 'SV403', constraint = 'source_of_key', column = 'source',
            detail = jsonb_build_object('items', p_rejected, 'sources', v_sources),
            hint = 'Send items of ' || internal.name_list(v_sources)
            || ' alone, or send partial=true to store those.';
    end if;
    raise exception '% invalid; nothing was stored', v_bad
        using errcode = 'SV422', constraint = 'items_refused',
        detail = jsonb_build_object('items', p_rejected),
        hint = 'Correct the items that params.items lists, or send partial=true to store the others.';
end
$$;
comment on function internal.refuse_items(jsonb, integer, integer, text) is
'Refuses a batch with the answer of explain_items, whose p_items are called p_noun: as a whole with 403
where an item is of a source that the sender is not bound to.
Errors: items_refused, source_of_key.';
