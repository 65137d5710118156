create or replace function internal.find_kinds(p_kind text) returns integer[]
language plpgsql stable
as $$
declare
    v_kinds constant integer [] := array(
        select kind_id from data.kind where name = p_kind or p_kind is null
    );
begin
    if v_kinds = '{}' and p_kind is not null then
        raise exception 'There is no kind "%".', p_kind
            using errcode = 'SV404', constraint = 'kind_unknown', column = 'kind',
            hint = 'list_kinds (GET /query/kinds) names the kinds that there are.';
    end if;
    return v_kinds;
end
$$;
comment on function internal.find_kinds(text) is 'The kind of this name; every kind for null.';
