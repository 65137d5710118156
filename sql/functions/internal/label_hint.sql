create or replace function internal.label_hint(p_names text[]) returns text
language sql stable
begin atomic
    with label as (
        select unnest('{alertname,severity}'::text[]) as name
        union
        select jsonb_object_keys(labels)
        from data.alert
        union
        select
            unnest(
                array(select jsonb_object_keys(document -> 'labels'))
                || internal.rule_label(document -> 'condition')
            )
        from data.alert_rule_version
        -- Of the rules that exist.
        where upper_inf(valid) and rule_id in (select alert_rule.rule_id from data.alert_rule)
    ),

    known as (
        select array_agg(name order by name) as names
        from label
        where name is not null
    )

    select
        string_agg(
            'No active alert or rule has the label "' || left(given.name, 100) || '". '
            || case
                when given.name = 'rule' then 'The name of the rule is the label alertname. '
                else internal.suggestion(internal.nearest_name(given.name, known.names, 0.25))
            end,
            '' order by given.name
        )
        || 'The labels are ' || internal.name_list(max(known.names)) || '.'
    from known
    inner join unnest(p_names) as given (name) on given.name <> all(known.names)
    -- Without names, the labels are not looked up.
    where cardinality(p_names) > 0;
end;
comment on function internal.label_hint(text[]) is
'What to correct where labels are asked for that no active alert and no rule has; null where all are known.';
