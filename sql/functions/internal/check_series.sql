create or replace function internal.check_series(p_item jsonb) returns text
language sql immutable parallel safe
begin atomic
    select case
        when
            coalesce(jsonb_typeof(p_item -> 'name'), '') <> 'string'
            or p_item ->> 'name' !~ '^[A-Za-z_][A-Za-z0-9_.:/-]*$'
            or length(p_item ->> 'name') > 200
            then 'kind_name_well_formed'
        when starts_with(p_item ->> 'name', 'Fact:') then 'kind_prefix_matches_type'
        when
            coalesce(jsonb_typeof(p_item -> 'source'), '') <> 'string'
            or length(p_item ->> 'source') not between 1 and 200
            or p_item ->> 'source' ~ '[[:cntrl:][:space:]]'
            then 'source_name_well_formed'
        when not internal.is_labels(p_item -> 'labels') then 'labels_well_formed'
    end;
end;
comment on function internal.check_series(jsonb) is
'The rule that the name, the source or the labels of a metric item break.';
