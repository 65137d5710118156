create or replace function internal.alert_text_faults(p_document jsonb)
returns table (field text, slug text, detail text)
language sql immutable
begin atomic
    with given as (
        select
            '{alertname,severity}'::text[]
            || array_remove(array[internal.rule_label(p_document -> 'condition')], null) as reserved,
            array(
                select jsonb_object_keys(
                    case when jsonb_typeof(p_document -> 'labels') = 'object' then p_document -> 'labels' end
                )
            ) as own
    ),

    placeholder as (
        select
            annotation.key,
            found.text[1] as text,
            substring(found.text[1] from '^\{\{\s*\$labels\.([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}$') as label
        from
            jsonb_each_text(
                case
                    when jsonb_typeof(p_document -> 'annotations') = 'object' then p_document -> 'annotations'
                end
            ) as annotation
        cross join regexp_matches(annotation.value, '(\{\{.*?\}\})', 'g') as found (text)
    )

    select distinct
        'labels.' || left(own.name, 100),
        'label_reserved',
        'The rule sets the label "' || left(own.name, 100) || '" itself. Send another name.'
    from given
    cross join unnest(given.own) as own (name)
    where own.name = any(given.reserved)
    union all
    select distinct
        'annotations.' || left(placeholder.key, 100),
        'placeholder_known',
        'Unknown placeholder "' || left(placeholder.text, 100)
        || '". Send {{ $value }} or {{ $labels.NAME }}; the labels are '
        || array_to_string(given.reserved || given.own, ', ') || '.'
    from placeholder
    cross join given
    where
        placeholder.text !~ '^\{\{\s*\$value\s*\}\}$'
        and not coalesce(placeholder.label = any(given.reserved || given.own), false);
end;
comment on function internal.alert_text_faults(jsonb) is
'What is wrong with the labels and annotations of a rule: labels that every alert has, and placeholders for
what no alert of the rule has.';
