-- Facts: kept as long as their samples.
call internal.set_default_retention('data.fact', '90 days');
call internal.set_default_columnstore('data.fact', '8 days');
