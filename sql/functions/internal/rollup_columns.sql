create or replace function internal.rollup_columns() returns text
language sql immutable parallel safe
begin atomic
    select
        'kind_id, series_id, bucket, observations, value_count, value_sum, squared_deviations, value_min,'
        || ' value_max, value_last, value_last_at, last_at, value_first, value_first_at, increase, sketch,'
        || ' sketch_other';
end;
comment on function internal.rollup_columns() is
'The columns of data.rollup, in their order; hours have one more.';
