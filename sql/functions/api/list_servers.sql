create or replace function api.list_servers(
    p_status text,
    p_health text,
    p_tag text,
    p_q text,
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
    v_after constant text := internal.read_cursor('servers', p_cursor, '.');
    v_page bigint [];
    v_answer json;
begin
    if p_status not in ('active', 'deprecated', 'deleted', 'deregistered') then
        raise exception 'unknown status "%"', left(p_status, 100)
            using errcode = 'SV422', constraint = 'server_status_known', column = 'status',
            hint = 'Send active, deprecated, deleted or deregistered.';
    end if;
    if p_health not in ('up', 'degraded', 'down', 'unknown', 'maintenance') then
        raise exception 'unknown health "%"', left(p_health, 100)
            using errcode = 'SV422', constraint = 'health_known', column = 'health',
            hint = 'Send up, degraded, down, unknown or maintenance.';
    end if;
    v_page := array(
        select server.server_id
        from data.server
        where
            case p_status
                when 'deregistered' then server.deregistered_at is not null
                else server.deregistered_at is null and server.status = coalesce(p_status, server.status)
            end
            and (p_tag is null or server.tags @> array[p_tag])
            and (
                p_q is null
                or word_similarity(lower(p_q), lower(server.name)) >= 0.4
                or strpos(
                    (
                        select
                            lower(concat_ws(
                                E'\n', server.name, version.document ->> 'title',
                                version.document ->> 'description'
                            ))
                        from data.server_version as version
                        where version.server_id = server.server_id
                        order by version.valid desc
                        limit 1
                    ),
                    lower(p_q)
                ) > 0
            )
            and (
                p_health is null
                or server.deregistered_at is null
                and server.server_id in (
                    select overall.server_id
                    from internal.overall_status(p_now, null) as overall
                    where overall.status = p_health
                )
            )
            and (v_after is null or server.name > v_after)
        order by server.name
        limit v_limit + 1
    );
    with page as (
        select
            server.*,
            row_number() over (order by server.name) as place,
            version.version,
            version.document,
            health.status as health,
            (
                select max(state.seen_at)
                from data.health_state as state
                where state.server_id = server.server_id
            ) as last_seen
        from data.server
        left join lateral (
            select
                server_version.version,
                server_version.document
            from data.server_version
            where server_version.server_id = server.server_id
            order by server_version.valid desc
            limit 1
        ) as version on true
        left join internal.overall_status(p_now, v_page) as health
            on server.server_id = health.server_id and server.deregistered_at is null
        where server.server_id = any(v_page)
    )
    select json_build_object(
        'items', coalesce(
            json_agg(
                json_build_object(
                    'name', name,
                    'title', document ->> 'title',
                    'description', document ->> 'description',
                    'version', version,
                    'status', case when deregistered_at is null then status else 'deregistered' end,
                    'health', health,
                    'last_seen', last_seen,
                    'tier', tier,
                    'tags', tags,
                    'owner', owner,
                    'source', source
                )
                order by place
            ) filter (where place <= v_limit),
            '[]'
        ),
        'next_cursor', case
            when count(*) > v_limit
                then internal.write_cursor('servers', max(name) filter (where place = v_limit))
        end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_servers(text, text, text, text, integer, text, timestamptz) is
'Servers by name: {items: [{name, title, description, version, status, health, last_seen, tier, tags,
owner, source}], next_cursor}. p_status is active, deprecated, deleted or deregistered; without it, the
list has all but the deregistered ones, whose health is null. last_seen is when a signal was up or degraded
last. p_health filters by the present status of the health. p_q is a
part of the name, the title or the description, or similar to a part of the name. A page has p_limit
items, by default 100, at most 1000; next_cursor is null on the last one.
Errors: server_status_known, health_known, limit_in_range, cursor_invalid.';
