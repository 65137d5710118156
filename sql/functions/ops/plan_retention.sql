create or replace function ops.plan_retention(
    p_relation text, p_drop_after interval, p_now timestamptz default now()
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_listed constant integer := 100;
    v_current interval;
    v_after interval;
begin
    select (config ->> 'drop_after')::interval into v_current
    from ops.policies
    where relation = p_relation and policy = 'policy_retention';
    if not found then
        raise exception 'unknown policy of retention "%"', left(p_relation, 200)
            using errcode = 'SV404', constraint = 'policy_unknown', column = 'name',
            hint = internal.policy_hint('retention', p_relation);
    end if;
    v_after := coalesce(p_drop_after, v_current);
    if v_after not between interval '0' and interval '1000 years' then
        raise exception 'retention of "%" is out of range', p_relation
            using errcode = 'SV422', constraint = 'policy_value_in_range', column = 'drop_after',
            hint = 'Send 1 day to 1000 years.';
    end if;
    return (
        with need as (
            select * from internal.retention_needs(p_relation, v_after)
        ),
        expired as (
            select
                measured.*,
                (
                    select json_agg(
                        json_build_object('id', pin.pin_id, 'source', pin.source, 'reason', pin.reason)
                        order by pin.pin_id
                    )
                    from data.every_pin as pin
                    where
                        p_relation in ('data.sample', 'data.fact')
                        and pin.during && tstzrange(measured.range_start, measured.range_end)
                ) as pinned_by
            from internal.measure_chunks(regexp_replace(p_relation, '^data[.]', '')::name) as measured
            where measured.range_end <= p_now - v_after
        )
        select json_build_object(
            'name', p_relation,
            'current', v_current,
            'drop_after', v_after,
            'allowed', not exists (select from need),
            'refused', (
                select coalesce(json_agg(need order by need.needed_by), '[]') from need
            ),
            'drops', (
                select json_build_object(
                    'chunks', count(*),
                    'rows', coalesce(sum(expired.row_count), 0),
                    'bytes', coalesce(sum(expired.bytes), 0),
                    'from', min(expired.range_start),
                    'to', max(expired.range_end)
                )
                from expired
                where expired.pinned_by is null
            ),
            'chunks', (
                select coalesce(json_agg(
                    json_build_object(
                        'from', listed.range_start,
                        'to', listed.range_end,
                        'rows', listed.row_count,
                        'bytes', listed.bytes,
                        'pinned_by', listed.pinned_by
                    ) order by listed.range_start
                ), '[]')
                from (
                    select * from expired
                    order by range_start
                    limit c_listed
                ) as listed
            )
        )
    );
end
$$;
comment on function ops.plan_retention(text, interval, timestamptz) is
'What a retention of p_drop_after, or the present one where it is null, would do to a relation, and changes
nothing: {name, current, drop_after, allowed, refused: [{needed_by, needed, reason}], drops: {chunks, rows,
bytes, from, to}, chunks: [{from, to, rows, bytes, pinned_by}]}. refused has what needs the rows for longer;
chunks are the oldest 100 that have expired, of which those with pinned_by stay. Rows are estimated where
they are many.
Errors: policy_unknown, policy_value_in_range.';
