create or replace function internal.core_json(
    p_core data.core, p_from timestamptz, p_to timestamptz
)
returns json
language sql immutable parallel safe
begin atomic
    select json_build_object(
        'from', p_from,
        'to', p_to,
        'count', coalesce((p_core).count, 0),
        'sum', (p_core).sum,
        'avg', (p_core).avg,
        'min', (p_core).min,
        'max', (p_core).max,
        'stddev', (p_core).stddev,
        'last', (p_core).last,
        'p50', (p_core).p50,
        'p90', (p_core).p90,
        'p95', (p_core).p95,
        'p99', (p_core).p99,
        'rate_per_second', coalesce((p_core).rate_per_second, 0)
    );
end;
comment on function internal.core_json(data.core, timestamptz, timestamptz) is
'The numbers of a window as they stand in an answer.';
