create or replace function api.list_silences(
    p_from timestamptz,
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
    v_after constant text := internal.read_cursor('silences', p_cursor, '^-?\d{1,17}/.');
    v_answer json;
begin
    with page as (
        select
            listed.silence_id,
            listed.starts,
            row_number() over (order by listed.starts, listed.silence_id) as place,
            listed.silence
        from (
            select
                silence_id,
                silence,
                (extract(epoch from lower(during)) * 1000000)::bigint as starts
            from data.silence
            where
                upper(during) > v_from
                -- A cancelled one is listed with the time in which it counted.
                and coalesce(cancelled_at > v_from, true)
        ) as listed
        where
            v_after is null
            or (listed.starts, listed.silence_id)
            > (split_part(v_after, '/', 1)::bigint, substr(v_after, strpos(v_after, '/') + 1))
        order by listed.starts, listed.silence_id
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(
                internal.join_json(
                    internal.silence_json(silence, p_now),
                    json_build_object('versions', internal.silence_versions_json(silence_id))
                )
                order by place
            ) filter (where place <= v_limit),
            '[]'
        ),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'silences', max(starts || '/' || silence_id) filter (where place = v_limit)
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_silences(timestamptz, integer, text, timestamptz) is
'Silences that end after p_from, by default now, the earliest first: {items: [{id, status, matchers, from, to,
author, comment, updated_at, versions}], next_cursor}. versions says who created, changed or cancelled it, when
and why; see internal.silence_versions_json. A page has p_limit items, by default 100, at most 1000;
next_cursor is null on the last one.
Errors: limit_in_range, cursor_invalid.';
