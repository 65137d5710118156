create or replace function internal.check_series(p_item jsonb) returns text
language sql immutable parallel safe
begin atomic
    select case
        when
            coalesce(jsonb_typeof(p_item -> 'name'), '') <> 'string'
            or p_item ->> 'name' !~ '^[A-Za-z_][A-Za-z0-9_.:/-]{0,199}$'
            then 'kind_name_well_formed'
        when starts_with(p_item ->> 'name', 'Fact:') then 'kind_prefix_matches_type'
        when
            coalesce(jsonb_typeof(p_item -> 'source'), '') <> 'string'
            or p_item ->> 'source' !~ '^[^[:cntrl:][:space:]]{1,200}$'
            then 'source_name_well_formed'
        when not internal.is_labels(p_item -> 'labels') then 'labels_well_formed'
    end;
end;
comment on function internal.check_series(jsonb) is
'The rule that the name, the source or the labels of a metric item break.';
