create or replace function internal.name_list(p_names text[]) returns text
language sql immutable parallel safe
begin atomic
    select array_to_string(p_names[:20], ', ') || case when cardinality(p_names) > 20 then ', …' else '' end;
end;
comment on function internal.name_list(text[]) is 'The first 20 names, as a sentence has them.';
