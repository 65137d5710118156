create or replace function api.describe_schema()
returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select json_build_object(
        'views', (
            select
                json_object_agg(
                    'analytics.' || view.relname,
                    json_build_object(
                        'about', obj_description(view.oid, 'pg_class'),
                        'columns', (
                            select
                                json_object_agg(
                                    attname || ' ' || format_type(atttypid, null),
                                    col_description(attrelid, attnum)
                                    order by attnum
                                )
                            from pg_attribute
                            where attrelid = view.oid and attnum > 0 and attname <> 'namespace'
                        )
                    )
                    order by view.relname
                )
            from pg_class as view
            where view.relnamespace = 'analytics'::regnamespace and view.relkind = 'v'
        ),
        'functions', (
            select
                json_object_agg(
                    format('analytics.%s(%s)', proname, pg_get_function_identity_arguments(oid)),
                    obj_description(oid, 'pg_proc')
                    order by proname
                )
            from pg_proc
            where pronamespace = 'analytics'::regnamespace
        ),
        'examples', json_build_array(
            'select bucket, source, p95 from analytics.metrics_daily'
            ' where kind = ''checkout_seconds'' and bucket >= now() - interval ''30 days'' order by 1, 2',
            'select date_trunc(''month'', bucket) as month, sum(sum) from analytics.facts_daily'
            ' where kind = ''Fact:Sale'' group by 1 order by 1',
            'select source, analytics.percentile(analytics.merge(sketch), 0.9) from analytics.metrics_hourly'
            ' where kind = ''checkout_seconds'' and bucket >= now() - interval ''7 days'' group by 1'
        )
    );
end;
comment on function api.describe_schema() is
'The views and functions of analytics with their columns, types and comments, and examples, for a model that
writes statements for query_sql.';
