create or replace view ops.jobs as
select
    job_id,
    relation,
    policy,
    state,
    schedule_interval,
    next_start,
    overdue,
    last_started_at,
    last_duration,
    runs,
    failures,
    p50_duration,
    p95_duration,
    last_error,
    last_error_at
from internal.show_jobs();
comment on view ops.jobs is 'Whether jobs and policies run, how late, how long, and with which errors.';
comment on column ops.jobs.job_id is 'Job number, for alter_job and run_job.';
comment on column ops.jobs.relation is 'Hypertable or continuous aggregate, or procedure of a job.';
comment on column ops.jobs.policy is 'Procedure that the job calls.';
comment on column ops.jobs.state is
'scheduled, running, paused, failed (its last run), overdue, or crashed: a run began and never ended.';
comment on column ops.jobs.schedule_interval is 'Time between runs.';
comment on column ops.jobs.next_start is 'When it is due; null where a run crashed.';
comment on column ops.jobs.overdue is 'How long it has been due.';
comment on column ops.jobs.last_started_at is 'When its last run began.';
comment on column ops.jobs.last_duration is 'How long its last run took.';
comment on column ops.jobs.runs is 'Number of runs.';
comment on column ops.jobs.failures is 'Number of runs that failed.';
comment on column ops.jobs.p50_duration is 'Median of the durations of runs that are logged.';
comment on column ops.jobs.p95_duration is 'Their 95th percentile.';
comment on column ops.jobs.last_error is 'Message of the last error that is logged.';
comment on column ops.jobs.last_error_at is 'When that run began.';
