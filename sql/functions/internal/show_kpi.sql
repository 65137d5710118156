create or replace function internal.show_kpi(p_name text, p_limit integer, p_cursor text)
returns json
language plpgsql stable
as $$
declare
    v_kpi constant bigint := internal.find_kpi(p_name);
    v_list constant text := 'kpi_versions/' || v_kpi || '/';
    v_before constant integer := internal.read_cursor(v_list, p_cursor, '^\d{1,9}$');
    v_answer json;
begin
    with page as (
        select
            version.version,
            row_number() over (order by version.version desc) as place,
            json_build_object(
                'version', version.version,
                'author', version.author,
                'from', lower(version.valid),
                'to', upper(version.valid),
                'changes', case
                    when former.version is null then '[]'
                    else internal.document_changes(former.document, version.document)
                end
            ) as shown
        from data.kpi_version as version
        left join data.kpi_version as former
            on version.kpi_id = former.kpi_id and version.version = former.version + 1
        where version.kpi_id = v_kpi and (v_before is null or version.version < v_before)
        order by version.version desc
        limit p_limit + 1
    )
    select internal.join_json(
        internal.kpi_json(p_name),
        (
            select json_build_object('deleted_at', deleted_at, 'deleted_by', deleted_by)
            from data.kpi
            where kpi_id = v_kpi
        ),
        json_build_object(
            'versions', coalesce(json_agg(shown order by place) filter (where place <= p_limit), '[]'),
            'next_cursor', case
                when count(*) > p_limit
                    then internal.write_cursor(v_list, (min(version) filter (where place = p_limit))::text)
            end
        )
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function internal.show_kpi(text, integer, text) is
'A KPI with its versions, the newest first: the members of internal.kpi_json, and {deleted_at, deleted_by,
versions: [{version, author, from, to, changes: [{field, before, after}]}], next_cursor}. changes is the
difference to the version before.
Errors: kpi_unknown, cursor_invalid.';
