create or replace function internal.diagnose(p_now timestamptz)
returns table (name text, status text, detail text, repair text)
language plpgsql stable
as $$
declare
    c_failures constant text := 'select count(*) from ops.proof where not matches';
    v_mismatches bigint := 0;
begin
    if to_regclass('ops.proof') is not null then
        execute c_failures into v_mismatches;
    end if;
    return query
    select
        'versions',
        'error',
        'On PostgreSQL 17.12, TimescaleDB 2.29 marks every run of a job as failed although its work is committed.',
        'Use PostgreSQL 17.11.'
    from pg_extension
    where
        extname = 'timescaledb'
        and extversion like '2.29.%'
        and current_setting('server_version_num')::integer = 170012
    union all
    select
        'jit',
        'warning',
        'Every aggregate takes 0.3 s longer, because its plan is compiled.',
        format('alter database %I set jit = off;', current_database())
    where pg_jit_available()
    union all
    select
        'jobs',
        case when jobs.state = 'paused' then 'warning' else 'error' end,
        format(
            'Job %s (%s of %s) is %s%s.', jobs.job_id, jobs.policy, jobs.relation, jobs.state,
            coalesce(
                ': ' || jobs.last_error,
                case when jobs.state = 'overdue' then ' for ' || date_trunc('second', jobs.overdue) end,
                ''
            )
        ),
        case
            when jobs.state = 'paused' then format('select alter_job(%s, scheduled => true);', jobs.job_id)
            when jobs.state = 'failed' then format('call run_job(%s);', jobs.job_id)
            when jobs.state = 'overdue' then format('select alter_job(%s, next_start => now());', jobs.job_id)
            when setting.relation is not null then 'select * from ops.repair_jobs();'
            -- TimescaleDB runs it again by itself, minutes later.
            else format('call run_job(%s);', jobs.job_id)
        end
    from internal.show_jobs() as jobs
    left join lateral (
        select relation from deploy.setting
        where setting.relation = jobs.relation and setting.policy = jobs.policy
        limit 1
    ) as setting on true
    where jobs.state in ('paused', 'failed', 'overdue', 'crashed')
    union all
    select
        'jobs',
        'warning',
        format('Job %s has been deleted.', missing.policy),
        missing.statement
    from internal.missing_jobs() as missing
    union all
    select
        'refresh',
        'error',
        format('Rollup %s has a refresh policy, which erases what was made of dropped samples.', policies.relation),
        format('select remove_continuous_aggregate_policy(%L);', policies.relation)
    from ops.policies
    where policies.policy = 'policy_refresh_continuous_aggregate'
    union all
    select
        'backlog',
        'warning',
        case backlog.name
            when 'late_samples'
                then format(
                    '%s late %s for %s.', backlog.items,
                    case backlog.items when 1 then 'sample waits' else 'samples wait' end, backlog.lag
                )
            when 'outbox'
                then format(
                    '%s %s to be sent for %s.', backlog.items,
                    case backlog.items when 1 then 'alert or fact waits' else 'alerts and facts wait' end,
                    backlog.lag
                )
            when 'deliveries'
                then format(
                    '%s %s not delivered for %s.', backlog.items,
                    case backlog.items when 1 then 'request is' else 'requests are' end, backlog.lag
                )
            else format('The %s is behind by %s.', backlog.name, date_trunc('second', backlog.lag))
        end,
        case backlog.name
            when 'late_samples'
                then (
                    select format('call run_job(%s);', min(policies.job_id)) from ops.policies
                    where policies.policy = 'refresh_late'
                )
            when 'outbox' then 'select * from ops.backlog;'
            when 'deliveries' then 'select * from ops.backlog;'
            else (
                select format('call run_job(%s);', min(policies.job_id)) from ops.policies
                where policies.policy = 'refresh_rollups'
            )
        end
    from internal.show_backlog(p_now) as backlog
    where
        backlog.items > 0 and backlog.lag > interval '1 hour'
        or backlog.name like 'refresh%_1h' and backlog.lag > interval '4 hours'
        and internal.oldest_chunk('sample') < p_now - interval '4 hours'
    union all
    select
        'conflicts',
        'warning',
        format(
            '%s %s of source "%s" and kind "%s" %s sent again with other content.',
            conflicts.items, case conflicts.items when 1 then 'item' else 'items' end,
            conflicts.source, conflicts.kind, case conflicts.items when 1 then 'was' else 'were' end
        ),
        'select * from ops.conflicts order by last_received_at desc;'
    from ops.conflicts
    where conflicts.last_received_at > p_now - interval '1 day'
    union all
    select
        'quotas',
        'warning',
        format('%s of %s %s are used.', quota.used, quota.value, quota.name),
        format('select ops.set_quota(%L, %s);', quota.name, 2 * quota.value)
    from data.quota
    where quota.used >= 0.9 * quota.value
    union all
    select
        'pins',
        'error',
        format('Chunk %s is pinned and expires, and nothing keeps it.', chunk.chunk),
        'call internal.keep_pins(0, ''{}'');'
    from (values ('sample'::name), ('fact')) as relation (name)
    cross join lateral internal.list_chunks(relation.name) as chunk
    where
        not chunk.frozen
        and chunk.range_end <= p_now - internal.retention(relation.name) + interval '5 days'
        and exists (
            select from data.every_pin
            where during && tstzrange(chunk.range_start, chunk.range_end)
        )
    union all
    select
        'grants',
        'error',
        format(
            'Role %s lacks %s %s, such as %s.', lost.role, count(*),
            case count(*) when 1 then 'privilege' else 'privileges' end, min(lost.privilege)
        ),
        'supervisor-mcp deploy'
    from internal.lost_grants() as lost
    group by lost.role
    union all
    select
        'query_sql',
        'error',
        'query_sql is not available: its function was dropped, or does not belong to supervisor_statement.',
        'supervisor-mcp deploy'
    where not exists (
        select from pg_proc
        where
            oid = to_regprocedure('internal.run_statement(text, integer, integer)')
            and proowner = to_regrole('supervisor_statement')
    )
    union all
    select
        'query_sql',
        'warning',
        'A statement of query_sql may fill the disk with temporary files.',
        format('grant set on parameter temp_file_limit to %I;', current_user)
    where
        current_setting('temp_file_limit') = '-1'
        and not has_parameter_privilege('temp_file_limit', 'set')
    union all
    select
        'proof',
        'error',
        format(
            '%s from what %s samples say.',
            case v_mismatches when 1 then '1 bucket differs' else v_mismatches || ' buckets differ' end,
            case v_mismatches when 1 then 'its' else 'their' end
        ),
        'select * from ops.proof where not matches;'
    where v_mismatches > 0;
end
$$;
comment on function internal.diagnose(timestamptz) is
'What is wrong with the database: which check found it, whether it is an error or a warning, and the
statement that repairs or shows it.';
