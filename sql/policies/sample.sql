-- Samples: kept so that windows of up to 90d can be recomputed.
call internal.set_default_retention('data.sample', '90 days');
call internal.set_default_columnstore('data.sample', '1 day');
