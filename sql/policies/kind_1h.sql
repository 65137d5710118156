-- Hours of kinds: kept as long as the longest window, because both of its ends are read from hours.
call internal.set_default_retention('data.kind_1h', '400 days');
call internal.set_default_columnstore('data.kind_1h', '8 days');
