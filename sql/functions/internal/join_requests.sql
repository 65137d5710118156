create or replace function internal.join_requests(
    p_bodies json[],
    p_nows timestamptz[],
    out body json,
    out nows timestamptz[],
    out oldest timestamptz,
    out items integer,
    out receipts json[]
)
language plpgsql stable
as $$
begin
    with item as materialized (
        select
            request.number,
            request.now,
            element.place,
            element.value::text as value
        from unnest(p_bodies, p_nows) with ordinality as request (body, now, number)
        cross join lateral json_array_elements(
            case json_typeof(request.body) when 'array' then request.body else json_build_array(request.body) end
        ) with ordinality as element (value, place)
    ),
    request as (
        select
            item.number,
            count(*)::integer as items
        from item
        group by item.number
    )
    select
        ('[' || string_agg(item.value, ',' order by item.number, item.place) || ']')::json,
        array_agg(item.now order by item.number, item.place),
        min(item.now),
        count(*),
        (
            select array_agg(
                internal.receipt_json(request.items, request.items, 0, 0, 0, null) order by request.number
            )
            from request
        )
    into body, nows, oldest, items, receipts
    from item;
end
$$;
comment on function internal.join_requests(json[], timestamptz[]) is
'The items of requests as one array, and the time at which each came. receipts: what each request that has
items gets if all of them are new.';
