create or replace function internal.due_late() returns setof data.late_hour
language sql stable
begin atomic
    select
        late_hour_id,
        kind_id,
        bucket,
        samples,
        noted_at
    from data.late_hour
    where
        -- What no refresh may touch stays, and is read from samples.
        bucket >= (select internal.refresh_start())
        -- What is above is refreshed with the hours that are new. Those of kinds are made after the others.
        and bucket < (select least(internal.watermark('sample_1h'), internal.watermark('kind_1h')));
end;
comment on function internal.due_late() is
'The entries of data.late_hour that refresh_late may make good now.';
