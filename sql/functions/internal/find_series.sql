create or replace function internal.find_series(p_kinds integer[], p_source text)
returns integer[]
language plpgsql stable
as $$
begin
    if not exists (select from data.source where name = p_source) then
        raise exception 'There is no source "%".', p_source
            using errcode = 'SV404', constraint = 'source_unknown', column = 'source',
            hint = 'query_agg with group_by=source names the sources of a kind.';
    end if;
    return array(
        select series_id
        from data.series
        where kind_id = any(p_kinds)
            and source_id = (select source_id from data.source where name = p_source)
    );
end
$$;
comment on function internal.find_series(integer[], text) is
'The series of kinds from a source.';
