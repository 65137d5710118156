-- Days of kinds.
call internal.set_default_retention('data.kind_1d', '1830 days');
call internal.set_default_columnstore('data.kind_1d', '100 days');
