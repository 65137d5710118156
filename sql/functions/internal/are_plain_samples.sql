create or replace function internal.are_plain_samples(
    p_kind_type text,
    p_samples bigint,
    p_readings bigint,
    p_lowest double precision,
    p_highest double precision,
    p_times bigint,
    p_newest timestamptz,
    p_now timestamptz
)
returns boolean
language sql stable
begin atomic
    select
        p_readings = p_samples
        and p_lowest > -1e140
        and (p_kind_type <> 'counter' or p_lowest >= 0)
        and p_highest < 1e140
        and p_times = p_samples
        and p_newest <= p_now + interval '5 minutes';
end;
comment on function internal.are_plain_samples(
    text, bigint, bigint, double precision, double precision, bigint, timestamptz, timestamptz
) is
'Whether all values and times of p_samples of a series could be read, and are in the range of their kind;
a time before the retention of samples is left to the caller.';
