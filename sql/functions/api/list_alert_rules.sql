create or replace function api.list_alert_rules(
    p_name text,
    p_q text,
    p_deleted boolean,
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
    v_after text;
    v_answer json;
begin
    if p_name is not null then
        return internal.show_alert_rule(p_name, v_limit, p_cursor);
    end if;
    v_after := internal.read_cursor('alert_rules', p_cursor, '.');
    with page as (
        select
            rule.name,
            row_number() over (order by rule.name) as place
        from analytics.alert_rules as rule
        where
            rule.namespace = internal.namespace()
            and (rule.deleted_at is not null) = coalesce(p_deleted, false)
            and (p_q is null or strpos(lower(concat_ws(E'\n', rule.name, rule.kind)), lower(p_q)) > 0)
            and (v_after is null or rule.name > v_after)
        order by rule.name
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(internal.alert_rule_json(name) order by place) filter (where place <= v_limit), '[]'
        ),
        'next_cursor', case
            when count(*) > v_limit
                then internal.write_cursor('alert_rules', max(name) filter (where place = v_limit))
        end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_alert_rules(text, text, boolean, integer, text, timestamptz) is
'Alert rules by name: {items: [{name, state, firing, pending, severity, type, version, author, defined_at,
evaluated_at, error}], next_cursor}. state is firing, pending, inactive,
disabled, error or deleted. p_q is a part of the name or of the kind; p_deleted lists the deleted rules
instead of those that exist. p_name asks for one rule, also a deleted one: the same members, error_since,
deleted_at, deleted_by, document and versions [{version, author, from, to, changes: [{field, before, after}]}], the newest first. A page has
p_limit items or versions, by default 100, at most 1000; next_cursor is null on the last one.
Errors: alert_rule_unknown, limit_in_range, cursor_invalid.';
