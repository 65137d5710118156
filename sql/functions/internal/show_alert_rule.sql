create or replace function internal.show_alert_rule(p_name text, p_limit integer, p_cursor text)
returns json
language plpgsql stable
as $$
declare
    v_rule constant bigint := internal.find_alert_rule(p_name);
    v_list constant text := 'alert_rule_versions/' || v_rule || '/';
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
        from data.alert_rule_version as version
        left join data.alert_rule_version as former
            on version.rule_id = former.rule_id and version.version = former.version + 1
        where version.rule_id = v_rule and (v_before is null or version.version < v_before)
        order by version.version desc
        limit p_limit + 1
    )
    select internal.join_json(
        internal.alert_rule_json(p_name),
        (
            select
                json_build_object(
                    'error_since', rule.error_since,
                    'deleted_at', rule.deleted_at,
                    'deleted_by', rule.deleted_by,
                    'document', rule.document
                )
            from analytics.alert_rules as rule
            where rule.namespace = internal.namespace() and rule.name = p_name
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
comment on function internal.show_alert_rule(text, integer, text) is
'An alert rule with its document and its versions, the newest first: the members of
internal.alert_rule_json, and {error_since, deleted_at, deleted_by, document, versions: [{version, author, from, to, changes: [{field, before,
after}]}], next_cursor}. changes is the difference to the version before.
Errors: alert_rule_unknown, cursor_invalid.';
