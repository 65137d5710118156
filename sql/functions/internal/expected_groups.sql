create or replace function internal.expected_groups(
    p_kind bigint,
    p_series bigint[],
    p_group_by text,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval
)
returns table (at timestamptz, label text)
language sql stable
begin atomic
    select
        instant.at,
        null
    from generate_series(p_from, p_to, p_step) as instant (at)
    where p_group_by is null
    union all
    select distinct
        instant.at,
        case
            when p_group_by = 'source' then source.name
            else coalesce(series.labels ->> substr(p_group_by, length('label.') + 1), '')
        end
    from data.series
    inner join data.source on series.source_id = source.source_id
    cross join generate_series(p_from, p_to, p_step) as instant (at)
    where
        p_group_by is not null
        and series.kind_id = p_kind
        and (p_series is null or series.series_id = any(p_series))
        -- Metrics and facts apart, as they have an index each.
        and (
            exists (
                select from data.sample
                where
                    sample.series_id = series.series_id
                    and sample.seq = 0
                    and sample.ts > instant.at - interval '7 days'
                    and sample.ts <= instant.at
            )
            or exists (
                select from data.sample
                where
                    sample.series_id = series.series_id
                    and sample.seq > 0
                    and sample.ts > instant.at - interval '7 days'
                    and sample.ts <= instant.at
            )
        );
end;
comment on function internal.expected_groups(
    bigint, bigint[], text, timestamptz, timestamptz, interval
) is
'The groups of a kind that a rule expects data of at each instant: those that had a sample in the 7 days
before it; without p_group_by, always one.';
