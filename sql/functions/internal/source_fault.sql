create or replace function internal.source_fault(p_source text) returns text
language sql stable
begin atomic
    select
        case
            when not p_source = any(sources)
                then
                    'The source is "' || left(p_source, 200) || '"; the credentials are bound to '
                    || internal.name_list(sources) || '.'
        end
    from (select internal.bound_sources() as sources) as bound;
end;
comment on function internal.source_fault(text) is
'What is wrong with the source of an item; null where the sender may write as it.';
