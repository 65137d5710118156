create or replace function internal.end_restatements(p_late bigint[], p_now timestamptz) returns void
language sql
begin atomic
    with refreshed as (
        delete from data.late
        where late_id = any(p_late)
        returning kind_id, bucket, samples
    )

    update data.aggregate_restatement as restatement
    set
        restated_at = p_now,
        late_samples = late.samples,
        after = internal.rolled_up(restatement.kind_id, restatement.during)
    from (
        select
            open.restatement_id,
            sum(refreshed.samples) as samples
        from data.aggregate_restatement as open
        inner join refreshed on open.kind_id = refreshed.kind_id and open.during @> refreshed.bucket
        where open.restated_at is null
        group by open.restatement_id
    ) as late
    where restatement.restatement_id = late.restatement_id;
end;
comment on function internal.end_restatements(bigint[], timestamptz) is
'Completes the restatements of these entries of data.late, whose hours are refreshed, and deletes them.';
