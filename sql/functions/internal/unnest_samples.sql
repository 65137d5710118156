create or replace function internal.unnest_samples(p_samples data.series_samples[])
returns table (
    series_id bigint, kind_id bigint, counter boolean, ts timestamptz, value double precision, place integer
)
language sql immutable parallel safe
begin atomic
    select
        series.series_id,
        series.kind_id,
        series.counter,
        unnest(series.instants),
        unnest(series.readings),
        unnest(series.places)::integer
    from unnest(p_samples) as series;
end;
comment on function internal.unnest_samples(data.series_samples[]) is
'Samples of series, one a row, with the places of their items in the body.';
