-- Facts: business records, kept for years and on their own terms; their samples for less.
call internal.set_default_retention('data.fact', '5 years');
call internal.set_default_columnstore('data.fact', '8 days');
