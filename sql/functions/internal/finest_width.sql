create or replace function internal.finest_width(p_series bigint[], p_from timestamptz)
returns interval
language sql stable
begin atomic
    select max(gone.width)
    from (
        values
        (interval '1 hour', internal.oldest_chunk('sample')),
        (interval '24 hours', internal.oldest_chunk('sample_1h'))
    ) as gone (width, upto)
    where
        p_from < gone.upto
        and exists (
            select from data.sample_1d
            where
                sample_1d.series_id = any(p_series)
                and sample_1d.bucket >= time_bucket(interval '24 hours', p_from)
                and sample_1d.bucket < gone.upto
        );
end;
comment on function internal.finest_width(bigint[], timestamptz) is
'Width of the finest buckets of series that reach back to p_from: null where their samples do, an hour
where those were dropped, a day where the hours were dropped too.';
