create or replace function internal.unregistered_metrics(
    p_items jsonb,
    p_now timestamptz,
    out series jsonb,
    out bad integer,
    out bad_items jsonb
)
language plpgsql
as $$
begin
    -- What other sessions register is visible to the query below, and nothing changes after it.
    perform internal.lock_quotas();
    with entry as (
        select
            checked.place,
            checked.item,
            kind.type as kind_type,
            kind.unit as kind_unit,
            checked.item ->> 'name' as name,
            checked.item ->> 'type' as type,
            checked.item ->> 'unit' as unit,
            case
                when checked.item ->> 'type' is not null then checked.item ->> 'type'
                when jsonb_typeof(checked.item -> 'value') = 'object' then 'histogram'
                else 'gauge'
            end as own_type
        from internal.check_metrics(p_items, p_now) as checked
        left join data.kind on checked.kind_id = kind.kind_id
        where checked.good and not checked.settled
    ),
    -- The first item of a new kind settles its type, the first one that names a unit its unit.
    typed as (
        select
            *,
            coalesce(kind_type, first_value(own_type) over (partition by name order by place)) as settled_type
        from entry
    ),
    compared as (
        select
            *,
            coalesce(type <> settled_type, false)
            or (own_type = 'histogram') <> (settled_type = 'histogram')
            or settled_type = 'counter' and internal.read_number(item -> 'value') < 0 as mistyped
        from typed
    ),
    measured as (
        select
            *,
            coalesce(
                kind_unit,
                first_value(unit) over (partition by name order by mistyped or unit is null, place)
            ) as settled_unit
        from compared
    ),
    judged as (
        select
            *,
            mistyped or unit is not null and not internal.is_unit(unit, settled_unit) as contradicts
        from measured
    )
    select
        jsonb_agg(distinct jsonb_build_object(
            'name', name,
            'source', item ->> 'source',
            'labels', coalesce(nullif(item -> 'labels', 'null'), '{}'),
            'type', settled_type,
            'unit', settled_unit
        )) filter (where not contradicts),
        count(*) filter (where contradicts),
        jsonb_agg(jsonb_build_object(
            'index', place, 'item', item, 'kind_type', settled_type, 'kind_unit', settled_unit
        )) filter (where contradicts)
    into series, bad, bad_items
    from judged;
end
$$;
comment on function internal.unregistered_metrics(jsonb, timestamptz) is
'The series and units of good metric items that are not registered, in the form that register_series
expects, and the items that contradict another one of the batch about a type or unit. Others that
register wait until this transaction ends.';
