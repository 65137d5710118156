create or replace function internal.rollup(
    p_whole bigint[],
    p_kinds bigint[],
    p_series bigint[],
    p_from timestamptz,
    p_to timestamptz,
    p_cut timestamptz,
    p_step interval,
    p_statistics text[]
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    c_hour constant interval := interval '1 hour';
    c_day constant interval := interval '24 hours';
    v_kinds constant bigint [] := p_whole || p_kinds;
    v_counters constant boolean := exists (
        select from data.kind
        where kind_id = any(p_kinds) and type = 'counter'
    );
    v_from_hour constant timestamptz := time_bucket(c_hour, p_from + c_hour - interval '1 microsecond');
    v_from_day constant timestamptz := time_bucket(c_day, p_from + c_day - interval '1 microsecond');
    v_to_day constant timestamptz := least(
        time_bucket(c_day, p_to),
        greatest(
            least(internal.watermark('sample_1d'), internal.watermark('kind_1d')),
            -- Older facts are in the days alone, also before the first refresh.
            (select complete.since from data.complete_since as complete where complete.relation = 'sample')
        )
    );
    v_to_hour constant timestamptz := greatest(
        v_from_hour,
        -- Hours of kinds are made of those of series.
        least(time_bucket(c_hour, p_to), internal.watermark('kind_1h')),
        -- When all hours are dropped, they have no watermark.
        v_to_day
    );
    -- What is rolled up above the watermark, where the range and each of its parts have all of it.
    v_recent constant data.recent_range := (
        select recent from data.recent_range as recent
        where
            recent.begins <= v_to_hour
            -- Nothing keeps those below it right.
            and v_to_hour >= internal.watermark('kind_1h')
            and recent.ends > v_to_hour
            and recent.ends <= p_to
            and (p_cut is null or p_cut <= v_to_hour)
    );
    -- The other kinds have few samples, or have got older ones since.
    v_recent_kinds constant bigint [] := array(
        select recent.kind_id from unnest(v_recent.kinds) as recent (kind_id)
        where
            recent.kind_id = any(v_kinds)
            and not exists (
                select from data.late_hour
                where late_hour.kind_id = recent.kind_id and late_hour.bucket >= v_to_hour and late_hour.bucket < v_recent.ends
            )
    );
    v_read_to constant timestamptz := case when v_recent_kinds = '{}' then v_to_hour else v_recent.ends end;
    -- Hours that were dropped before their samples are read from those.
    v_kept constant timestamptz := greatest(
        v_from_hour,
        case when p_whole <> '{}' then internal.oldest_chunk('kind_1h') end,
        case when p_kinds <> '{}' then internal.oldest_chunk('sample_1h') end
    );
    -- The day and the hour that lie on both sides of the cut.
    v_cut_day constant tstzmultirange := internal.bucket_around(p_cut, c_day);
    v_cut_hour constant tstzmultirange := internal.bucket_around(p_cut, c_hour);
    v_days tstzmultirange := '{}';
    v_hours tstzmultirange;
    v_gone tstzmultirange;
    v_raw tstzmultirange;
    v_late tstzmultirange;
    v_side tstzmultirange;
    v_part tstzrange;
begin
    if v_from_day < v_to_day and coalesce(p_step, c_day) >= c_day then
        v_days := tstzmultirange(tstzrange(v_from_day, v_to_day)) - v_cut_day - coalesce(
            (
                select range_agg(tstzrange(late.day, late.day + c_day))
                from (
                    select time_bucket(c_day, bucket) as day
                    from data.late_hour
                    where kind_id = any(v_kinds) and bucket >= v_from_day and bucket < v_to_day
                ) as late
            ),
            '{}'
        );
    end if;
    v_hours := tstzmultirange(tstzrange(v_from_hour, v_to_hour)) - v_days - v_cut_hour;
    v_gone := v_hours * tstzmultirange(tstzrange(null, v_kept));
    v_hours := v_hours - v_gone;

    -- A counter grows from bucket to bucket: what is read from samples has its place between the others.
    return query select * from internal.merge_buckets(
        v_days, v_hours, v_recent_kinds, v_to_hour, null, p_whole, p_kinds, p_series, p_cut, p_step,
        v_gone <> '{}' and v_counters or internal.late_counters(p_kinds, v_from_hour, v_to_hour),
        p_statistics
    );

    -- The rest comes from samples: parts of an hour, and late hours.
    v_raw := tstzmultirange(tstzrange(p_from, p_to)) - v_days - v_hours
        - tstzmultirange(tstzrange(v_to_hour, v_read_to));
    v_late := tstzmultirange(tstzrange(least(v_kept, v_to_hour), v_to_hour)) - v_cut_hour;
    foreach v_side in array array[tstzrange(null, p_cut), tstzrange(p_cut, null)]::tstzmultirange [] loop
        for v_part in select unnest(v_raw * v_side) loop
            return query select * from internal.raw_part(
                p_whole, p_kinds, p_series, lower(v_part), upper(v_part), p_step, p_statistics
            );
        end loop;
        for v_part in select unnest(v_late * v_side) loop
            return query select * from internal.raw_late(
                p_whole, p_kinds, p_series, lower(v_part), upper(v_part), p_step, p_statistics
            );
        end loop;
        exit when p_cut is null;
    end loop;
    if v_read_to > v_to_hour and cardinality(v_recent_kinds) < cardinality(v_kinds) then
        return query select * from internal.raw_part(
            array(select unnest(p_whole) except select unnest(v_recent_kinds)),
            array(select unnest(p_kinds) except select unnest(v_recent_kinds)),
            p_series, v_to_hour, v_read_to, p_step, p_statistics
        );
    end if;
end
$$;
comment on function internal.rollup(
    bigint[], bigint[], bigint[], timestamptz, timestamptz, timestamptz, interval, text[]
) is
'Steps that cover [p_from, p_to), or few parts of it where p_step is null, none on both sides of p_cut: of
p_whole for all series of the kind, of p_kinds by series, of those in p_series unless it is null. They come from days where p_step is a day
or null, from hours at both ends, and from samples: for parts of an hour, above the watermark, for hours that
got late samples and for those that were dropped. A step may have several rows. What p_statistics does not
name may be null, null means all; value_last of p_whole is null in buckets of samples, see
internal.newest_values.';
