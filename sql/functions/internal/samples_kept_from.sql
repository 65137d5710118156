create or replace function internal.samples_kept_from() returns timestamptz
language plpgsql stable
as $$
declare
    c_day constant interval := interval '24 hours';
    c_instant constant interval := interval '1 microsecond';
    v_oldest constant timestamptz := internal.oldest_chunk('sample');
    v_rollup record;
    v_bucket timestamptz;
    v_upto timestamptz := '-infinity';
    v_chunk interval;
begin
    for v_rollup in
        select
            -- Not the view: below its rows, a real-time one has those of samples, which take long.
            format(
                'select max(bucket) from %I.%I where bucket <= $1',
                materialization_hypertable_schema, materialization_hypertable_name
            ) as newest,
            internal.rollup_width(view_name) as width
        from timescaledb_information.continuous_aggregates
        where view_schema = 'data'
    loop
        execute v_rollup.newest into v_bucket using v_oldest - v_rollup.width;
        v_upto := greatest(v_upto, v_bucket + v_rollup.width);
    end loop;
    if v_upto = '-infinity' then
        return v_upto;
    end if;

    select make_interval(secs => extract(epoch from time_interval)) into v_chunk
    from timescaledb_information.dimensions
    where hypertable_schema = 'data' and hypertable_name = 'sample' and dimension_number = 1;
    -- A chunk that a late sample creates must not reach into what is gone, and neither must a day.
    v_upto := time_bucket(v_chunk, v_upto + v_chunk - c_instant, timestamptz '1970-01-01 00:00:00+00');
    return time_bucket(c_day, least(v_upto, v_oldest) + c_day - c_instant);
end
$$;
comment on function internal.samples_kept_from() is
'Start of the time whose samples are all there. Before it, rollups have buckets whose samples were
dropped, and a refresh would erase them. -infinity while no such samples were dropped.';
