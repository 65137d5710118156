create or replace function api.list_kpis(p_name text, p_limit integer, p_cursor text, p_now timestamptz)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after text;
    v_answer json;
begin
    if p_name is not null then
        return internal.show_kpi(p_name, v_limit, p_cursor);
    end if;
    v_after := internal.read_cursor('kpis', p_cursor, '.');
    with page as (
        select
            name,
            row_number() over (order by name) as place
        from data.kpi
        where deleted_at is null and (v_after is null or name > v_after)
        order by name
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(
            json_agg(internal.kpi_json(name) order by place) filter (where place <= v_limit), '[]'
        ),
        'next_cursor', case
            when count(*) > v_limit
                then internal.write_cursor('kpis', max(name) filter (where place = v_limit))
        end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_kpis(text, integer, text, timestamptz) is
'KPIs by name: {items: [{name, version, author, defined_at, document}], next_cursor}. p_name asks for one
KPI, also a deleted one: the same members, deleted_at, deleted_by and versions [{version, author, from, to,
changes: [{field, before, after}]}], the newest first. A page has p_limit items or versions, by default 100,
at most 1000; next_cursor is null on the last one.
Errors: kpi_unknown, limit_in_range, cursor_invalid.';
