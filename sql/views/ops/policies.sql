create or replace view ops.policies as
select
    job_id,
    coalesce(
        hypertable_schema || '.' || hypertable_name,
        proc_schema || '.' || proc_name
    ) as relation,
    proc_name as policy,
    schedule_interval,
    config
from timescaledb_information.jobs
where hypertable_schema = 'data' or proc_schema = 'internal';
comment on view ops.policies is
'Retention and columnstore policies, and jobs. Change one with alter_job(job_id, …).';
comment on column ops.policies.job_id is 'Job number, for alter_job and run_job.';
comment on column ops.policies.relation is 'Hypertable or continuous aggregate, or procedure of a job.';
comment on column ops.policies.policy is 'Procedure that the job calls.';
comment on column ops.policies.schedule_interval is 'Time between runs.';
comment on column ops.policies.config is 'Settings, such as drop_after.';
