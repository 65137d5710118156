create or replace function api.list_kinds(
    p_type text, p_prefix text, p_limit integer, p_cursor text
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after constant text := internal.read_cursor('kinds', p_cursor, '.');
    v_answer json;
begin
    if p_type not in ('gauge', 'counter', 'histogram', 'fact') then
        raise exception 'unknown type "%"', left(p_type, 100)
            using errcode = 'SV422', constraint = 'kind_type_known', column = 'type',
            hint = 'Send gauge, counter, histogram or fact.';
    end if;
    with page as (
        select
            kind.name,
            row_number() over (order by kind.name) as place,
            json_build_object(
                'kind', kind.name,
                'type', kind.type,
                'unit', kind.unit,
                'sources', count(distinct series.source_id),
                'series', count(series.series_id),
                'created_at', kind.created_at
            ) as item
        from (
            select *
            from data.kind
            where (p_type is null or type = p_type)
                and (p_prefix is null or starts_with(name, p_prefix))
                and (v_after is null or name > v_after)
            order by name
            limit v_limit + 1
        ) as kind
        left join data.series on kind.kind_id = series.kind_id
        group by kind.kind_id, kind.name, kind.type, kind.unit, kind.created_at
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case
            when count(*) > v_limit
                then internal.write_cursor('kinds', max(name) filter (where place = v_limit))
        end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_kinds(text, text, integer, text) is
'Kinds by name, with their types, units, sources and series: {items, next_cursor}.
p_type and p_prefix filter the list. A page has p_limit items, by default 100, at most 1000; next_cursor
is null on the last one.
Errors: kind_type_known, limit_in_range, cursor_invalid.';
