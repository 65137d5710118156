create or replace function api.list_audit(
    p_actor text,
    p_action text,
    p_object_type text,
    p_object_name text,
    p_from timestamptz,
    p_to timestamptz,
    p_limit integer,
    p_cursor text
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
    v_after constant bigint := internal.read_cursor('audit', p_cursor, '^\d{1,18}$');
    v_answer json;
begin
    perform internal.check_range(p_from, p_to);
    with page as (
        select
            event.number,
            row_number() over (order by event.number desc) as place,
            json_build_object(
                'number', event.number,
                'at', event.at,
                'actor', event.actor,
                'action', event.action,
                'object_type', event.object_type,
                'object_name', event.object_name,
                'namespace', event.namespace,
                'changes', event.document
            ) as item
        from data.audit_event as event
        where
            (p_actor is null or event.actor = p_actor)
            and (p_action is null or event.action = p_action)
            and (p_object_type is null or event.object_type = p_object_type)
            and (p_object_name is null or event.object_name = p_object_name)
            and (p_from is null or event.at >= p_from)
            and (p_to is null or event.at < p_to)
            and (v_after is null or event.number < v_after)
            and internal.manages_namespace(event.namespace)
        order by event.number desc
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'audit', (min(number) filter (where place <= v_limit))::text
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_audit(
    text, text, text, text, timestamptz, timestamptz, integer, text
) is
'Who changed what in [p_from, p_to), the newest first: {items: [{number, at, actor, action, object_type,
object_name, namespace, changes}], next_cursor}. changes has what differs, by member: {old, new}; an empty
object where the values are not recorded. Only events about what is in the namespace of who asks; in the
default one, all. A page has p_limit items, by default 100, at most 1000; next_cursor is null on the last
one.
Errors: from_before_to, from_in_range, limit_in_range, cursor_invalid.';
