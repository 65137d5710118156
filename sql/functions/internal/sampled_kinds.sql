create or replace function internal.sampled_kinds(
    p_except bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_min_samples integer,
    p_samples_per_row integer
)
returns bigint[]
language sql stable
begin atomic
    select array(
        select kind_id from data.every_kind as kind
        where
            kind_id <> all(p_except)
            and exists (
                select from data.sample
                where sample.kind_id = kind.kind_id and ts >= p_from and ts < p_to
                offset greatest( -- noqa: AM09
                    p_min_samples,
                    p_samples_per_row * (
                        select count(*) from data.series
                        where series.kind_id = kind.kind_id
                    )
                ) - 1
            )
    );
end;
comment on function internal.sampled_kinds(bigint[], timestamptz, timestamptz, integer, integer) is
'The kinds, but for p_except, that have p_min_samples in [p_from, p_to), and p_samples_per_row for each of
their series.';
