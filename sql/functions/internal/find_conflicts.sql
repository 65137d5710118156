create or replace function internal.find_conflicts(
    p_series bigint[], p_instants timestamptz[], p_readings double precision[], p_places integer[]
)
returns integer[]
language plpgsql stable
as $$
begin
    return (
        select array_agg(item.place)
        from unnest(p_series, p_instants, p_readings, p_places) as item (series_id, ts, value, place)
        -- Not a join: one probe of the index for each item, whatever the statistics say.
        where (
            select
                (item.value, 1, null::bigint[])
                is distinct from (sample.value, sample.observations, sample.sketch)
            from data.sample
            where
                sample.series_id = item.series_id
                and sample.ts = item.ts
                and sample.seq = 0
        )
    );
end
$$;
comment on function internal.find_conflicts(bigint[], timestamptz[], double precision[], integer[]) is
'The places of gauges and counters whose series and time are stored with another value.';
