create or replace function internal.statistics_json(p_statistics data.statistics) returns json
language sql immutable parallel safe
begin atomic
    select json_build_object(
        'count', coalesce((p_statistics).count, 0),
        'sum', (p_statistics).sum,
        'avg', (p_statistics).avg,
        'min', (p_statistics).min,
        'max', (p_statistics).max,
        'stddev', (p_statistics).stddev,
        'last', (p_statistics).last,
        'p50', (p_statistics).p50,
        'p90', (p_statistics).p90,
        'p95', (p_statistics).p95,
        'p99', (p_statistics).p99,
        'rate_per_second', coalesce((p_statistics).rate_per_second, 0)
    );
end;
comment on function internal.statistics_json(data.statistics) is
'Statistics as members of an answer; of no samples, a count of 0 and nulls.';
