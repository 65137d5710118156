create aggregate internal.sum_sketches (numeric) ( -- noqa: PRS, LT01
    sfunc = numeric_add,
    stype = numeric,
    parallel = safe
);
comment on aggregate internal.sum_sketches (numeric) is
'What sum() returns, for a few sketches: sum() sets up each group with all digits below its highest bin.';
