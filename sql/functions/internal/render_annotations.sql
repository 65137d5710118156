create or replace function internal.render_annotations(p_annotations jsonb, p_labels jsonb, p_value text)
returns jsonb
language sql immutable parallel safe
begin atomic
    select
        coalesce(
            jsonb_object_agg(
                annotation.key,
                (
                    select
                        string_agg(
                            case
                                when part.text[2] is not null then coalesce(p_labels ->> part.text[2], '')
                                when part.text[1] is not null then coalesce(p_value, '')
                                else part.text[3]
                            end,
                            '' order by part.place
                        )
                    from regexp_matches(
                        annotation.value,
                        '(\{\{\s*\$(?:value|labels\.([A-Za-z_][A-Za-z0-9_.]*))\s*\}\})|([^{]+|\{)',
                        'g'
                    ) with ordinality as part (text, place)
                )
            ),
            '{}'
        )
    from jsonb_each_text(p_annotations) as annotation;
end;
comment on function internal.render_annotations(jsonb, jsonb, text) is
'Annotations with {{ $value }} and {{ $labels.name }} filled in; a label that is missing is empty.';
