create or replace function internal.roll_up_recent(
    p_upto timestamptz, p_min_samples integer, p_samples_per_row integer
)
returns void
language plpgsql
as $$
declare
    c_hour constant interval := interval '1 hour';
    v_range data.recent_range;
    v_begins timestamptz;
    v_changed bigint [];
    v_others bigint [];
    v_part record;
begin
    -- One at a time.
    select * into v_range from data.recent_range for update;
    v_begins := internal.watermark('kind_1h');
    -- Before the first refresh, the watermark is no time.
    if
        not isfinite(v_begins)
        or p_upto <= greatest(v_begins, case when v_range.begins = v_begins then v_range.ends end)
    then
        return;
    end if;
    if v_range.begins <> v_begins then
        delete from data.recent_hour;
        v_range.kinds := '{}';
        v_range.begins := v_begins;
        v_range.ends := v_begins;
    end if;

    v_changed := internal.forget_changed_recent(v_begins);
    v_range.kinds := array(select unnest(v_range.kinds) except select unnest(v_changed));
    update data.recent_range
    set
        begins = v_range.begins,
        ends = v_range.ends,
        kinds = v_range.kinds;

    v_others := internal.sampled_kinds(
        v_range.kinds || v_changed, v_begins, p_upto, p_min_samples, p_samples_per_row
    );
    if
        v_others = '{}'
        and (
            select count(*) from data.sample
            where kind_id = any(v_range.kinds) and ts >= v_range.ends and ts < p_upto
        ) < p_samples_per_row * (
            select count(*) from data.recent_hour
            where bucket = time_bucket(c_hour, v_range.ends)
        )
    then
        return;
    end if;

    -- The row that an hour has and what follows become one.
    for v_part in
        select
            hour,
            part.kinds,
            tstzrange(greatest(hour, part.begins), least(hour + c_hour, p_upto)) as span
        from (values (v_range.kinds, v_range.ends), (v_others, v_begins)) as part (kinds, begins)
        cross join lateral generate_series(time_bucket(c_hour, part.begins), p_upto, c_hour) as hour
        where part.kinds <> '{}' and hour < p_upto
    loop
        with merged as materialized (
            select * -- noqa: AM04
            from internal.merge_buckets(
                '{}', '{}', v_part.kinds, v_part.hour, v_part.span, v_part.kinds, v_part.kinds, null, null,
                c_hour, false, null
            )
        ),

        former as (
            delete from data.recent_hour
            where kind_id = any(v_part.kinds) and bucket = v_part.hour
        )

        insert into data.recent_hour select * from merged;
    end loop;
    update data.recent_range
    set
        ends = p_upto,
        kinds = v_range.kinds || v_others;
end
$$;
comment on function internal.roll_up_recent(timestamptz, integer, integer) is
'Rolls up the samples from the watermark of the rollups to p_upto, which is announced, of kinds that have at
least p_min_samples, and p_samples_per_row for each of their series. It does nothing where the new ones are fewer
than p_samples_per_row for each row to be written again. A kind that got older samples meanwhile is left out once.';
