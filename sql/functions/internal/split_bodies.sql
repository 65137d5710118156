create or replace function internal.split_bodies(p_bodies json[]) returns json[]
language sql immutable parallel safe
begin atomic
    select
        array_agg(
            case
                when internal.lists_samples(sent.body::text) and sent.body is json with unique keys
                    then internal.split_samples(internal.read_items(sent.body::jsonb))::text::json
                else sent.body
            end
            order by sent.number
        )
    from unnest(p_bodies) with ordinality as sent (body, number);
end;
comment on function internal.split_bodies(json[]) is
'Request bodies of metrics whose items have one sample each. A body that repeats a key stays as it is.';
