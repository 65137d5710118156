create or replace function internal.find_kinds(p_kind text) returns bigint[]
language plpgsql stable
as $$
declare
    v_kinds constant bigint [] := array(
        select kind_id from data.kind where name = p_kind or p_kind is null
    );
    v_nearest text;
begin
    if v_kinds = '{}' and p_kind is not null then
        v_nearest := internal.nearest_kind(p_kind);
        raise exception 'unknown kind "%"', left(p_kind, 200)
            using errcode = 'SV404', constraint = 'kind_unknown', column = 'kind',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest) || 'list_kinds (GET /query/kinds) lists all kinds.';
    end if;
    return v_kinds;
end
$$;
comment on function internal.find_kinds(text) is
'The kind of this name, every kind for null. The error names the nearest known kind.
Errors: kind_unknown.';
