-- Days of series.
-- The start is inside the retention of data.sample: a refresh erases buckets whose samples are gone.
select remove_continuous_aggregate_policy('data.sample_1d', if_exists => true);
select add_continuous_aggregate_policy(
    'data.sample_1d',
    start_offset => interval '89 days',
    end_offset => interval '1 hour',
    schedule_interval => interval '1 hour'
);
select remove_retention_policy('data.sample_1d', if_exists => true);
select add_retention_policy('data.sample_1d', drop_after => interval '1830 days');
call remove_columnstore_policy('data.sample_1d', if_exists => true);
call add_columnstore_policy('data.sample_1d', after => interval '100 days');
