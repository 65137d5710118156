-- Row types that functions hand to each other.

create type data.rollup as (
    kind_id integer,
    series_id integer,
    bucket timestamptz,
    count bigint,
    value_count bigint,
    sum double precision,
    m2 double precision,
    min double precision,
    max double precision,
    last double precision,
    last_at timestamptz,
    first double precision,
    increase double precision,
    sketch bigint []
);
comment on type data.rollup is
'A bucket of samples; series_id is null where it holds all series of the kind.';

create type data.core as (
    kind_id integer,
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
    newest timestamptz
);
comment on type data.core is
'What a window of samples of a kind comes to; label is the group, or null for all of it.';
