create or replace function internal.roll_up_recent(p_upto timestamptz) returns void
language plpgsql
as $$
declare
    c_hour constant interval := interval '1 hour';
    v_begins timestamptz;
    v_range data.recent_range;
    v_late bigint [];
    v_changed bigint [];
    v_first timestamptz;
    v_piece record;
    v_kinds bigint [];
begin
    -- One at a time.
    select * into v_range from data.recent_range for update;
    v_begins := internal.watermark('kind_1h');
    if v_range.begins > v_begins or v_range.ends < v_begins then
        delete from data.recent_hour;
        v_range.begins := v_begins;
        v_range.ends := v_begins;
    end if;
    if p_upto <= v_range.ends then
        return;
    end if;
    -- In one statement with the threshold: a refresh that begins after it finds the samples of these
    -- entries, and one that has begun needs them.
    select
        coalesce(array_agg(late_id), '{}'),
        coalesce(array_agg(distinct kind_id), '{}')
    into v_late, v_changed
    from data.late
    where
        bucket >= greatest(v_begins, internal.refresh_threshold())
        and bucket < p_upto;
    delete from data.recent_hour
    where bucket < v_begins or kind_id = any(v_changed);

    for v_piece in
        select
            greatest(hour, v_range.ends) as begins,
            least(hour + c_hour, p_upto) as ends,
            null::bigint [] as kinds
        from generate_series(v_begins, p_upto, c_hour) as hour
        union all
        select
            hour,
            least(hour + c_hour, v_range.ends),
            v_changed
        from generate_series(v_begins, v_range.ends, c_hour) as hour
    loop
        continue when v_piece.begins >= v_piece.ends;
        v_kinds := coalesce(
            v_piece.kinds,
            array(
                select kind_id from data.every_kind as kind
                where exists (
                    select from data.sample
                    where sample.kind_id = kind.kind_id and ts >= v_piece.begins and ts < v_piece.ends
                )
            )
        );
        insert into data.recent_hour
        select * from internal.raw_buckets(v_kinds, null, false, v_piece.begins, v_piece.ends, null, null)
        union all
        select * from internal.raw_kinds(v_kinds, v_piece.begins, v_piece.ends, null);
        v_first := least(v_first, time_bucket(c_hour, v_piece.begins));
    end loop;

    -- One row for each series and hour: the pieces of an hour follow the row that it has.
    v_kinds := array(select distinct kind_id from data.recent_hour where bucket >= v_first);
    with merged as materialized (
        select * -- noqa: AM04
        from internal.merge_buckets(
            '{}', '{}', tstzrange(v_first, p_upto), '{}', v_kinds, v_kinds, null, null, c_hour, false, null
        )
    ),

    pieces as (
        delete from data.recent_hour
        where bucket >= v_first
    )

    insert into data.recent_hour select * from merged;
    delete from data.late where late_id = any(v_late);
    update data.recent_range set begins = v_range.begins, ends = p_upto;
end
$$;
comment on function internal.roll_up_recent(timestamptz) is
'Rolls up the samples from the watermark of the rollups to p_upto, which is announced: those that
data.recent_hour does not have yet, and all of kinds that got older samples meanwhile. Hours that the rollups
have by now are deleted.';
