-- Samples: what 7d, 30d and 90d windows can be recomputed from.
select remove_retention_policy('data.sample', if_exists => true);
select add_retention_policy('data.sample', drop_after => interval '90 days');
call remove_columnstore_policy('data.sample', if_exists => true);
call add_columnstore_policy('data.sample', after => interval '8 days');
