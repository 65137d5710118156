create or replace function api.list_keys(
    p_owner text, p_active boolean, p_limit integer, p_cursor text, p_now timestamptz
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
    v_after constant text := internal.read_cursor('keys', p_cursor, '^-?\d{1,17}/.');
    v_answer json;
begin
    with page as (
        select
            listed.*,
            row_number() over (order by listed.created desc, listed.key_id) as place
        from (
            select
                key_id,
                api_key as key,
                (extract(epoch from created_at) * 1000000)::bigint as created
            from data.api_key
            where
                internal.manages_namespace(namespace)
                and (p_owner is null or owner = p_owner)
                and (p_active is null or p_active = (internal.key_status(api_key, p_now) = 'active'))
        ) as listed
        where
            v_after is null
            or (-listed.created, listed.key_id)
            > (-split_part(v_after, '/', 1)::bigint, substr(v_after, strpos(v_after, '/') + 1))
        order by listed.created desc, listed.key_id
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(internal.key_json(key, p_now) order by place) filter (where place <= v_limit), '[]'
        ),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'keys', max(created || '/' || key_id) filter (where place = v_limit)
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_keys(text, boolean, integer, text, timestamptz) is
'Keys, the newest first: {items, next_cursor}; see internal.key_json. p_owner asks for those of an owner,
p_active for those that are active, or for the others. Who acts in a namespace sees those of this namespace;
from the default one, all. A page has p_limit items, by default 100, at most 1000.
Errors: limit_in_range, cursor_invalid.';
