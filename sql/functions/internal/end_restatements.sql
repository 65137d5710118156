create or replace function internal.end_restatements(p_late bigint[], p_now timestamptz) returns void
language sql
begin atomic
    with refreshed as (
        delete from data.late_hour
        where late_hour_id = any(p_late)
        returning kind_id, bucket, samples
    ),

    measured as (
        select
            open.restatement_id,
            sum(refreshed.samples) as samples,
            internal.rolled_up(open.kind_id, open.during) as after
        from data.aggregate_restatement as open
        inner join refreshed on open.kind_id = refreshed.kind_id and open.during @> refreshed.bucket
        where open.restated_at is null
        group by open.restatement_id
    ),

    -- An earlier refresh had rolled it up already, as the first one of a history does.
    unmoved as (
        delete from data.aggregate_restatement as restatement
        using measured
        where
            restatement.restatement_id = measured.restatement_id
            and restatement.before is not distinct from measured.after
    )

    update data.aggregate_restatement as restatement
    set
        restated_at = p_now,
        late_samples = measured.samples,
        after = measured.after
    from measured
    where
        restatement.restatement_id = measured.restatement_id
        and restatement.before is distinct from measured.after;
end;
comment on function internal.end_restatements(bigint[], timestamptz) is
'Completes the restatements of these entries of data.late_hour, whose hours are refreshed, and deletes them.
Restatements that changed nothing are deleted too.';
