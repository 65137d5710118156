create or replace function internal.read_fields(p_fields text[]) returns text[]
language plpgsql immutable
as $$
declare
    c_known constant text [] :=
        '{count,sum,avg,min,max,stddev,last,p50,p90,p95,p99,rate_per_second}'::text []
        || '{previous,change,groups,freshness,error_bound}'::text [];
    v_unknown text;
begin
    select coalesce(field, '')
    into v_unknown
    from unnest(p_fields) as field
    where field is null or field <> all(c_known)
    limit 1;
    if found then
        raise exception 'unknown field "%"', left(v_unknown, 100)
            using errcode = 'SV422', constraint = 'fields_known', column = 'fields',
            detail = jsonb_build_object('known', c_known),
            hint = internal.suggestion(internal.nearest_name(v_unknown, c_known, 0.15))
            || 'Known fields: ' || array_to_string(c_known, ', ') || '.';
    end if;
    return p_fields;
end
$$;
comment on function internal.read_fields(text[]) is
'The fields that an aggregate is to have, checked; null means all.
Errors: fields_known.';
