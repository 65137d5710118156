-- Days of series.
call internal.set_default_retention('data.sample_1d', '1830 days');
call internal.set_default_columnstore('data.sample_1d', '100 days');
