-- Hours of series: kept as long as the longest window, because both of its ends are read from hours.
-- The start is inside the retention of data.sample: a refresh erases buckets whose samples are gone.
select remove_continuous_aggregate_policy('data.sample_1h', if_exists => true);
select add_continuous_aggregate_policy(
    'data.sample_1h',
    start_offset => interval '89 days',
    end_offset => interval '1 hour',
    schedule_interval => interval '10 minutes'
);
select remove_retention_policy('data.sample_1h', if_exists => true);
select add_retention_policy('data.sample_1h', drop_after => interval '400 days');
call remove_columnstore_policy('data.sample_1h', if_exists => true);
call add_columnstore_policy('data.sample_1h', after => interval '100 days');
