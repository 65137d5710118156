create or replace function internal.unknown_label_hint(p_label text, p_known text[]) returns text
language sql stable
begin atomic
    select
        'No series has the label "' || left(p_label, 100) || '". '
        || internal.suggestion(internal.nearest_name(p_label, p_known, 0.25))
        || case
            when p_known = '{}' then 'The series have no labels.'
            else 'The labels are ' || internal.name_list(p_known) || '.'
        end;
end;
comment on function internal.unknown_label_hint(text, text[]) is
'What to ask instead of a label that no series has; p_known are the names of labels that some have.';
