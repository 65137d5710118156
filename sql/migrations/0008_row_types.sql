-- Row types that functions return to each other.

create type data.histogram as (
    observations integer,
    sum double precision,
    low double precision,
    high double precision,
    sketch numeric,
    sketch_other numeric,
    fault text
);
comment on type data.histogram is 'A histogram as a sample, or a sentence about what is wrong with it.';

create type data.series_samples as (
    series_id bigint,
    kind_id bigint,
    counter boolean,
    instants timestamptz [],
    readings double precision [],
    places bigint [],
    oldest timestamptz,
    newest timestamptz
);
comment on type data.series_samples is
'Samples of a series: their times, values and places in a request body, from 1, in one order.';

create type data.plain_metrics as (
    plain boolean,
    items integer,
    oldest timestamptz,
    samples data.series_samples [],
    histograms data.histogram [],
    kind_ids bigint [],
    kind_names text []
);
comment on type data.plain_metrics is
'A body of metrics, where plain: the number of its items, the oldest time, the samples, the histograms by the
places of their items (null where it has none), and its kinds.';

create type data.rollup as (
    kind_id bigint,
    series_id bigint,
    bucket timestamptz,
    observations bigint,
    value_count bigint,
    value_sum double precision,
    squared_deviations double precision,
    value_min double precision,
    value_max double precision,
    value_last double precision,
    value_last_at timestamptz,
    last_at timestamptz,
    value_first double precision,
    value_first_at timestamptz,
    increase double precision,
    sketch numeric,
    sketch_other numeric
);
comment on type data.rollup is
'A bucket of samples; series_id is null when it contains all series of the kind.';

create type data.statistics as (
    kind_id bigint,
    label text,
    count bigint,
    sum double precision,
    avg double precision,
    min double precision,
    max double precision,
    stddev double precision,
    last double precision,
    p50 double precision,
    p90 double precision,
    p95 double precision,
    p99 double precision,
    rate_per_second double precision,
    newest timestamptz,
    bounded boolean
);
comment on type data.statistics is
'Statistics of a kind in a window; label is the group, or null for the whole kind. bounded says whether
every percentile is within the relative error of the sketch. stddev is that of the population.';

create type data.distribution as (
    place bigint,
    histogram boolean,
    observations bigint,
    low double precision,
    high double precision,
    sketch numeric,
    sketch_other numeric
);
comment on type data.distribution is
'A distribution whose percentiles are asked for: its sketches, and its extremes, or those of the bounds of its
histograms.';

create type analytics.sketch as (
    observations bigint,
    positive numeric,
    other numeric,
    low double precision,
    high double precision,
    histogram boolean
);
comment on type analytics.sketch is
'Distribution of values, which analytics.merge adds up and analytics.percentile reads.';
comment on column analytics.sketch.observations is 'Number of values.';
comment on column analytics.sketch.positive is 'Sketch of the values above zero.';
comment on column analytics.sketch.other is 'Sketch of the other values.';
comment on column analytics.sketch.low is 'Smallest value; -infinity where a histogram leaves it open.';
comment on column analytics.sketch.high is 'Largest value; infinity where a histogram leaves it open.';
comment on column analytics.sketch.histogram is
'Whether there are histograms in it: low and high are bounds then.';
