create or replace function internal.samples_kept_from() returns timestamptz
language plpgsql stable
as $$
declare
    c_day constant interval := interval '24 hours';
    c_instant constant interval := interval '1 microsecond';
    v_rollup record;
    v_oldest timestamptz;
    v_bucket timestamptz;
    v_length interval;
    v_upto timestamptz := greatest(
        internal.frozen_upto('sample'),
        (select complete.since from data.complete_since as complete where complete.relation = 'sample')
    );
begin
    for v_rollup in
        select * from internal.rollups()
    loop
        v_oldest := internal.oldest_chunk(v_rollup.parent);
        v_bucket := internal.newest_bucket(v_rollup.name, v_oldest - v_rollup.width) + v_rollup.width;
        continue when v_bucket is null;
        v_length := internal.chunk_interval(v_rollup.parent);
        -- A chunk that a late sample creates must not reach into what is gone, and neither must a day.
        v_upto := greatest(
            v_upto,
            time_bucket(
                c_day,
                least(
                    time_bucket(
                        v_length,
                        v_bucket + v_length - c_instant,
                        timestamptz '1970-01-01 00:00:00+00'
                    ),
                    v_oldest
                ) + c_day - c_instant
            )
        );
    end loop;
    return v_upto;
end
$$;
comment on function internal.samples_kept_from() is
'Start of the time whose samples, and hours that were made of them, are all there. Before it, rollups have
buckets whose samples or hours were dropped or never were, which a refresh would erase, or samples are pinned
and cannot be added to. -infinity while there are none.';
