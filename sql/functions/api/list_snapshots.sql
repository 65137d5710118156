create or replace function api.list_snapshots(p_limit integer, p_cursor text) returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after constant bigint := internal.read_cursor('snapshots', p_cursor, '^\d{1,18}$');
    v_answer json;
begin
    with page as (
        select
            snapshot.snapshot_id,
            row_number() over (order by snapshot.snapshot_id desc) as place,
            internal.snapshot_json(snapshot) as item
        from data.snapshot
        where v_after is null or snapshot.snapshot_id < v_after
        order by snapshot.snapshot_id desc
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'snapshots', (min(snapshot_id) filter (where place <= v_limit))::text
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_snapshots(integer, text) is
'Snapshots without their content, the newest first: {items: [{name, window, from, to, kinds, bytes, sha256,
author, created_at}], next_cursor}. A page has p_limit items, by default 100, at most 1000; next_cursor is
null on the last one.
Errors: limit_in_range, cursor_invalid.';
