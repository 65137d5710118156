create or replace function api.list_maintenance(
    p_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_limit integer,
    p_cursor text,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_from constant timestamptz := coalesce(p_from, p_now);
    v_server constant bigint := case when p_name is not null then internal.find_server(p_name) end;
    v_after constant text := internal.read_cursor('maintenance', p_cursor, '^-?\d{1,17}/.');
    v_answer json;
begin
    perform internal.check_range(v_from, p_to);
    with page as (
        select
            planned.*,
            row_number() over (order by planned.starts, planned.maintenance_id) as place
        from (
            select distinct
                maintenance_id,
                (extract(epoch from lower(during)) * 1000000)::bigint as starts
            from data.maintenance
            where
                upper_inf(recorded)
                and during && tstzrange(v_from, p_to)
                and (v_server is null or server_id = v_server)
        ) as planned
        where
            v_after is null
            or (planned.starts, planned.maintenance_id)
            > (split_part(v_after, '/', 1)::bigint, substr(v_after, strpos(v_after, '/') + 1))
        order by planned.starts, planned.maintenance_id
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(internal.maintenance_json(maintenance_id, p_now) order by place)
            filter (where place <= v_limit), '[]'
        ),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'maintenance', max(starts || '/' || maintenance_id) filter (where place = v_limit)
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_maintenance(
    text, timestamptz, timestamptz, integer, text, timestamptz
) is
'Maintenance windows that overlap [p_from, p_to), the earliest first: {items: [{id, status, servers,
from, to, author, reason}], next_cursor}. By default those that have not ended. p_name asks for those of
one server. A page has p_limit items, by default 100, at most 1000; next_cursor is null on the last one.
Errors: server_unknown, from_before_to, from_in_range, limit_in_range, cursor_invalid.';
