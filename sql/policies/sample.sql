-- Samples: kept so that windows of up to 90d can be recomputed.
select remove_retention_policy('data.sample', if_exists => true);
select add_retention_policy('data.sample', drop_after => interval '90 days');
call remove_columnstore_policy('data.sample', if_exists => true);
call add_columnstore_policy('data.sample', after => interval '8 days');
