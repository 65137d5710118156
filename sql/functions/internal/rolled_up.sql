create or replace function internal.rolled_up(p_kind bigint, p_during tstzrange) returns jsonb
language sql stable
begin atomic
    select
        jsonb_build_object(
            'count', coalesce(sum(observations), 0),
            'sum', sum(value_sum),
            'min', nullif(min(value_min), '-infinity'),
            'max', nullif(max(value_max), 'infinity')
        )
    from data.kind_1h
    where kind_id = p_kind and bucket >= lower(p_during) and bucket < upper(p_during);
end;
comment on function internal.rolled_up(bigint, tstzrange) is
'What is rolled up of the hours of a kind: {count, sum, min, max}; null where there is no value, and for a
bound that a histogram leaves open.';
