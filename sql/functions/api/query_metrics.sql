create or replace function api.query_metrics(
    p_name text,
    p_source text,
    p_labels jsonb,
    p_from timestamptz,
    p_to timestamptz,
    p_step text,
    p_split_by text,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_to timestamptz := coalesce(p_to, p_now);
    v_from constant timestamptz := coalesce(p_from, v_to - interval '24 hours');
    v_step interval := internal.read_step(p_step, v_from, v_to);
    v_kinds constant bigint [] := internal.find_kinds(p_name);
    v_of_source bigint [];
    v_series bigint [];
    v_finest interval;
    v_first timestamptz;
    v_points bigint;
    v_answer json;
begin
    if p_split_by <> 'version' then
        raise exception 'unknown split_by "%"', left(p_split_by, 100)
            using errcode = 'SV422', constraint = 'split_by_known', column = 'split_by',
            hint = 'Send version.';
    end if;
    perform internal.check_range(v_from, v_to);
    if p_source is not null then
        v_of_source := internal.find_series(v_kinds, p_source);
    end if;
    v_series := array(
        select series.series_id
        from data.series
        where series.kind_id = any(v_kinds)
            and series.labels @> coalesce(p_labels, '{}')
            and (p_source is null or series.series_id = any(v_of_source))
    );
    v_finest := internal.finest_width(v_series, v_from);
    if v_finest is not null then
        v_step := v_finest * ceil(extract(epoch from v_step) / extract(epoch from v_finest));
        if v_to < internal.oldest_chunk('sample') then
            -- No part of a bucket can be read.
            v_to := time_bucket(v_finest, v_to + v_finest - interval '1 microsecond');
        end if;
    end if;
    v_first := time_bucket(v_step, v_from);
    perform internal.check_range(v_first, v_to);
    v_points := ceil(extract(epoch from v_to - v_from) / extract(epoch from v_step)) + 1;
    if v_points * greatest(cardinality(v_series), 1) > 100000 then
        raise exception '% series with % points each exceed the limit of 100000 points',
            cardinality(v_series), v_points
            using errcode = 'SV422', constraint = 'series_within_limit', column = 'step',
            hint = 'Send a larger step, a shorter range, or filter by source and labels.';
    end if;
    v_answer := internal.plot_series(
        v_kinds[1], v_series, v_first, v_to, v_step
    );
    perform internal.check_chunks('{sample,sample_1h,kind_1h,sample_1d,kind_1d}');
    return case
        when v_answer ->> 'series' = '[]'
            then internal.join_json(
                v_answer,
                json_build_object(
                    'hint', internal.series_hint(v_kinds[1], v_series, p_source, p_labels)
                )
            )
        when p_split_by is null then v_answer
        else (
            select
                json_object_agg(
                    key, case key when 'series' then internal.split_by_version(value) else value end order by n
                )
            from json_each(v_answer) with ordinality as member (key, value, n)
        )
    end;
end
$$;
comment on function api.query_metrics(
    text, text, jsonb, timestamptz, timestamptz, text, text, timestamptz
) is
'The series of a kind in [p_from, p_to), by default the last 24 hours, with a point every p_step and
nulls in gaps: {name, type, unit, from, to, step_seconds, resolution, columns, series: [{source, labels,
points}]}; where there are no series, hint says what to ask instead. resolution says what the points are
computed from: raw (samples), 1h or 1d (rollups). Where samples of the range were dropped, p_step is rounded up to whole hours; where hours were dropped too, to
whole days. With p_split_by version, a series is split by the versions of the server whose source it has,
and has server and version too.
Errors: kind_unknown, source_unknown, split_by_known, step_well_formed, from_before_to,
from_in_range, series_within_limit.';
