create or replace function api.get_state(p_now timestamptz) returns json
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select internal.join_json(json_build_object(
        'kinds', internal.estimate_rows('data.every_kind'),
        'sources', internal.estimate_rows('data.every_source'),
        'series', internal.estimate_rows('data.series'),
        'late_samples', (
            select coalesce(sum(samples), 0)
            from data.late_hour
            where bucket < (select internal.watermark('sample_1h'))
        ),
        'watermark', nullif(internal.watermark('sample_1h'), '-infinity'),
        'migrations', (select count(*) from deploy.migration),
        'now', p_now
    ),
    internal.job_state(), internal.alert_state(), internal.delivery_state(p_now),
    internal.proof_state(p_now));
end;
comment on function api.get_state(timestamptz) is
'Counts (of large tables estimated), watermark and failing jobs of the database, alerts, deliveries and
proof, for monitoring; see internal.alert_state, internal.delivery_state and internal.proof_state.';
