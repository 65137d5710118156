-- Facts: kept as long as their samples.
select remove_retention_policy('data.fact', if_exists => true);
select add_retention_policy('data.fact', drop_after => interval '90 days');
call remove_columnstore_policy('data.fact', if_exists => true);
call add_columnstore_policy('data.fact', after => interval '8 days');
