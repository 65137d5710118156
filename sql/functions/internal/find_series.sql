create or replace function internal.find_series(p_kinds bigint[], p_source text)
returns bigint[]
language plpgsql stable
as $$
declare
    v_source constant bigint := (select source_id from data.source where name = p_source);
    v_nearest text;
begin
    if v_source is null then
        v_nearest := internal.nearest_name(
            p_source,
            array(
                select name
                from data.source
                where length(name) between length(p_source) / 2 and length(p_source) * 2 + 5
                -- Bounds the time of the comparison.
                limit 10000
            ),
            0.25
        );
        raise exception 'unknown source "%"', left(p_source, 200)
            using errcode = 'SV404', constraint = 'source_unknown', column = 'source',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || format(
                'query_agg (GET /query/agg) with %s and group_by=source lists its sources.',
                coalesce(
                    'kind=' || (
                        select min(name) from data.kind
                        where kind_id = any(p_kinds)
                        having count(*) = 1
                    ),
                    'a kind'
                )
            );
    end if;
    return array(
        select series_id
        from data.series
        where kind_id = any(p_kinds) and source_id = v_source
    );
end
$$;
comment on function internal.find_series(bigint[], text) is
'The series of kinds from a source. The error names the nearest known source.
Errors: source_unknown.';
