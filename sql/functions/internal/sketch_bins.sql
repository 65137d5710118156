create or replace function internal.sketch_bins(p_sketch numeric, p_other numeric)
returns table (value double precision, n bigint)
language sql immutable parallel safe
begin atomic
    -- The places of internal.sketch and internal.sketch_other.
    select
        internal.bin_value(place - 350),
        n
    from internal.sketch_places(p_sketch)
    union all
    select
        case
            when place = 351 then 0
            when place = 352 then 'infinity'
            when place = 353 then '-infinity'
            when place > 353 then -internal.bin_value(place - 353)
            else -internal.bin_value(place - 350)
        end,
        n
    from internal.sketch_places(p_other);
end;
comment on function internal.sketch_bins(numeric, numeric) is
'The bins of two sketches, internal.sketch and internal.sketch_other: the value that represents each and
its observations. Values are infinite for the open buckets of histograms.';
