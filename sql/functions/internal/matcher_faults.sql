create or replace function internal.matcher_faults(p_matchers jsonb, p_path text)
returns table (field text, slug text, detail text)
language plpgsql
as $$
declare
    v_value text;
    v_fault text;
    v_began constant timestamptz := clock_timestamp();
begin
    return query
    select
        p_path || fault.field,
        fault.slug,
        fault.detail
    from internal.schema_faults(p_matchers, internal.matchers_schema()) as fault;
    if found then
        return;
    end if;
    for field, v_value in
        select
            format('%s[%s].value', p_path, matcher.n - 1),
            matcher.item ->> 'value'
        from jsonb_array_elements(p_matchers) with ordinality as matcher (item, n)
        where matcher.item ->> 'operator' like '%~'
    loop
        v_fault := internal.regex_fault(v_value);
        if v_fault is not null then
            slug := 'regex_usable';
            detail := v_fault;
            return next;
        end if;
        -- A few slow ones are enough to report.
        exit when clock_timestamp() > v_began + interval '500 milliseconds';
    end loop;
end
$$;
comment on function internal.matcher_faults(jsonb, text) is
'The rules that matchers break; p_path is the field that has them. See internal.matchers_path.';
