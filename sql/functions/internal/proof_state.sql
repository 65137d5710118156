create or replace function internal.proof_state(p_now timestamptz) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'proof_buckets', count(*),
            'proof_mismatches', coalesce(sum(checked.mismatches), 0)
        )
    from (
        select count(*) filter (where not matches) as mismatches
        from data.proof
        where checked_at > p_now - interval '7 days'
        group by rollup, bucket
    ) as checked;
end;
comment on function internal.proof_state(timestamptz) is
'How many buckets of rollups were computed again in the last 7 days, and how many rows of them differed, for
monitoring.';
