create or replace function internal.label_faults(p_labels jsonb)
returns table (field text, slug text, detail text)
language sql immutable
begin atomic
    select
        'labels',
        'labels_well_formed',
        'labels is an object of strings.'
    where jsonb_typeof(p_labels) not in ('object', 'null')
    union all
    select
        'labels',
        'labels_well_formed',
        'A series has at most 32 labels; the item has ' || count(*) || '.'
    from jsonb_object_keys(case jsonb_typeof(p_labels) when 'object' then p_labels else '{}' end)
    having count(*) > 32
    union all
    select
        'labels.' || left(label.key, 100),
        'labels_well_formed',
        rule.detail
    from jsonb_each(case jsonb_typeof(p_labels) when 'object' then p_labels else '{}' end) as label
    cross join
        lateral (
            values
            (
                not internal.fits(label.key, 'label_name'),
                'A label name has 1 to 100 characters: a letter or _ first, then letters, digits, _ and .'
            ),
            (
                jsonb_typeof(label.value) <> 'string',
                'The value of a label is a string, not a JSON ' || jsonb_typeof(label.value) || '.'
            ),
            (
                jsonb_typeof(label.value) = 'string' and length(label.value #>> '{}') > 500,
                'The value of a label has at most 500 characters.'
            )
        ) as rule (broken, detail)
    where rule.broken;
end;
comment on function internal.label_faults(jsonb) is
'What is wrong with the labels of an item, one row for each rule that each label breaks.';
