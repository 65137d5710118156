create or replace function internal.split_bodies(p_bodies json[]) returns json[]
language sql stable
begin atomic
    with sent as (
        select
            body.value,
            body.number
        from unnest(p_bodies) with ordinality as body (value, number)
    ),

    listed as (
        select
            sent.number,
            internal.read_items(sent.value::jsonb) as items
        from sent
        where
            case
                -- As jsonb, a number with an exponent has all of its digits.
                when internal.lists_samples(sent.value::text) and sent.value::text !~ '[0-9][Ee][+-]?[0-9]{3}'
                    then sent.value is json with unique keys
                else false
            end
    )

    select
        array_agg(
            case
                when listed.items is null then sent.value
                when internal.split_bytes(listed.items) <= 16 * 1024
                    then internal.split_samples(listed.items)::text::json
                else sent.value
            end
            order by sent.number
        )
    from sent
    left join listed on sent.number = listed.number;
end;
comment on function internal.split_bodies(json[]) is
'Request bodies of metrics whose items have one sample each. A body that repeats a key, or that would become
long, stays as it is.';
