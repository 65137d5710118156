create or replace function internal.refresh_start() returns timestamptz
language sql stable
begin atomic
    with kept as materialized (
        select
            internal.oldest_chunk('sample') as oldest,
            internal.samples_kept_from() as kept_from
    )

    select
        case
            when isfinite(kept_from) then kept_from
            -- Nothing to erase: include samples that arrive while the refresh begins.
            else time_bucket(interval '24 hours', least(oldest, now() - internal.raw_retention()))
        end
    from kept
    where isfinite(oldest);
end;
comment on function internal.refresh_start() is
'Start of the oldest day that a refresh may compute, because all of its samples are there; null
without samples.';
