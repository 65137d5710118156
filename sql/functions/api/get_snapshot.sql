create or replace function api.get_snapshot(p_name text) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_content constant bytea := (select content from data.snapshot where name = p_name);
    v_nearest text;
begin
    if v_content is null then
        v_nearest := internal.nearest_name(p_name, array(select name from data.snapshot), 0.25);
        raise exception 'unknown snapshot "%"', left(p_name, 200)
            using errcode = 'SV404', constraint = 'snapshot_unknown', column = 'name',
            detail = jsonb_strip_nulls(jsonb_build_object('nearest', v_nearest)),
            hint = internal.suggestion(v_nearest)
            || 'list_snapshots (GET /query/snapshots) lists all snapshots.';
    end if;
    -- A json value is its text: these are the bytes that were hashed.
    return convert_from(v_content, 'UTF8')::json;
end
$$;
comment on function api.get_snapshot(text) is
'The content of a snapshot: the answer of query_agg that was frozen, always the same bytes.
Errors: snapshot_unknown.';
