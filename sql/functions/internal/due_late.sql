create or replace function internal.due_late() returns setof data.late
language sql stable
begin atomic
    select
        late_id,
        kind_id,
        bucket,
        samples,
        noted_at
    from data.late
    where
        -- What no refresh may touch stays, and is read from samples.
        bucket >= (select internal.refresh_start())
        -- What is above is refreshed with the hours that are new.
        and bucket < (select internal.watermark('sample_1h'));
end;
comment on function internal.due_late() is 'The entries of data.late that refresh_late may make good now.';
