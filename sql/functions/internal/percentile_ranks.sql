create or replace function internal.percentile_ranks(p_observations bigint) returns bigint[]
language sql immutable parallel safe
begin atomic
    select array[
        floor(0.50 * (p_observations - 1)), ceil(0.50 * (p_observations - 1)),
        floor(0.90 * (p_observations - 1)), ceil(0.90 * (p_observations - 1)),
        floor(0.95 * (p_observations - 1)), ceil(0.95 * (p_observations - 1)),
        floor(0.99 * (p_observations - 1)), ceil(0.99 * (p_observations - 1))
    ]::bigint[];
end;
comment on function internal.percentile_ranks(bigint) is
'The two ranks, from 0 on, that each of p50, p90, p95 and p99 lies between, as numpy and percentile_cont have
them.';
