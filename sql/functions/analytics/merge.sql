create or replace aggregate analytics.merge ( -- noqa: PRS
    analytics.sketch
) ( -- noqa: LT01
    sfunc = internal.merge_sketches,
    stype = analytics.sketch,
    combinefunc = internal.merge_sketches,
    parallel = safe
);
comment on aggregate analytics.merge (analytics.sketch) is
'The distribution of the values of many buckets, such as the hours of a day or all sources of a kind.';
