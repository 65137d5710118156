"""A small sql/ with one of everything that the real one holds."""

from __future__ import annotations

from pathlib import Path

SAMPLE = {
    "migrations/0001_schemas.sql": """
create extension if not exists timescaledb;
do $$
declare
    v_role text;
begin
    foreach v_role in array array['supervisor_app', 'supervisor_analyst', 'supervisor_dba'] loop
        if not exists (select from pg_roles where rolname = v_role) then
            begin
                execute format('create role %I nologin', v_role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
end
$$;
create schema data;
create schema internal;
create schema api;
create schema analytics;
create schema ops;
comment on schema data is 'Tables.';
comment on schema internal is 'Helpers.';
comment on schema api is 'The boundary.';
comment on schema analytics is 'Views for analysts.';
comment on schema ops is 'Storage.';
""",
    "migrations/0002_sample.sql": """
create function internal.is_finite(p_value double precision) returns boolean
language sql immutable parallel safe
begin atomic
select p_value not in ('infinity', '-infinity', 'nan');
end;
comment on function internal.is_finite(double precision) is 'Whether a value is a number.';
create table data.series (
    series_id integer generated always as identity,
    source text not null default 'unknown',
    constraint series_pk primary key (series_id)
);
comment on table data.series is 'Series of samples.';
create type data.total as (source text, total double precision);
comment on type data.total is 'What a source comes to.';
create aggregate internal.product(double precision) (
    sfunc = float8mul, stype = double precision, initcond = '1'
);
comment on aggregate internal.product(double precision) is 'Product of values.';
create view data.product as
select internal.product(series_id) as product from data.series;
comment on view data.product is 'Keeps internal.product.';
comment on column data.series.source is 'Who sends them.';
create table data.sample (
    ts timestamptz not null,
    series_id integer not null,
    value double precision not null,
    constraint sample_once primary key (series_id, ts),
    constraint sample_series_known foreign key (series_id) references data.series (series_id),
    constraint sample_value_finite check (internal.is_finite(value))
);
comment on table data.sample is 'Raw samples.';
select create_hypertable('data.sample', by_range('ts', interval '1 day'));
create index sample_by_value on data.sample (value desc) where value > 0;
alter table data.sample set (
    timescaledb.enable_columnstore, timescaledb.segmentby = 'series_id', timescaledb.orderby = 'ts'
);
create materialized view data.sample_1h
with (timescaledb.continuous, timescaledb.materialized_only = false) as
select series_id, time_bucket(interval '1 hour', ts) as bucket, sum(value) as total
from data.sample
group by 1, 2
with no data;
comment on view data.sample_1h is 'Samples by hour.';
create materialized view data.sample_1d
with (timescaledb.continuous, timescaledb.materialized_only = false) as
select series_id, time_bucket(interval '1 day', bucket) as bucket, sum(total) as total
from data.sample_1h
group by 1, 2
with no data;
comment on view data.sample_1d is 'Samples by day.';
""",
    # In alphabetical order each of these needs one that comes later.
    "functions/internal/a_sum.sql": """
create or replace function internal.a_sum() returns double precision
language sql stable
begin atomic
select internal.b_sum() + (select count(*) from analytics.metrics);
end;
comment on function internal.a_sum() is 'A sum.';
""",
    "functions/internal/text_rules.sql": """
create or replace function internal.text_rules() returns jsonb
language sql immutable parallel safe
begin atomic
select '{"unit": {"pattern": "^[a-z]+$", "maxLength": 9}}'::jsonb;
end;
comment on function internal.text_rules() is 'Rules of texts.';
""",
    "functions/internal/b_sum.sql": """
create or replace function internal.b_sum() returns double precision
language sql stable
begin atomic
select sum(total) from data.sample_1h;
end;
comment on function internal.b_sum() is 'Another sum.';
""",
    "functions/internal/refuse_change.sql": """
create or replace function internal.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception using errcode = 'SV409', constraint = 'series_fixed', message = 'fixed';
end
$$;
comment on function internal.refuse_change() is 'Keeps a row as it is.';
create or replace trigger refuse_change before update on data.series
for each row execute function internal.refuse_change();
""",
    "functions/internal/count_samples.sql": """
create or replace procedure internal.count_samples(job_id integer, config jsonb)
language plpgsql
as $$
begin
    insert into data.series (source) values ('counted');
end
$$;
comment on procedure internal.count_samples(integer, jsonb) is 'Job that counts.';
""",
    "functions/api/query_sum.sql": """
create or replace function api.query_sum(p_source text, p_window interval default '7 days')
returns jsonb
language sql stable security definer set search_path = pg_catalog
begin atomic
select jsonb_build_object('sum', internal.a_sum());
end;
comment on function api.query_sum(text, interval) is 'Sum of a source over a window.';
""",
    "views/analytics/metrics.sql": """
create or replace view analytics.metrics with (security_barrier = true) as
select series_id, source from data.series;
comment on view analytics.metrics is 'Series.';
comment on column analytics.metrics.series_id is 'Which series.';
comment on column analytics.metrics.source is 'Who sends it.';
""",
    "policies/sample.sql": """
select add_retention_policy('data.sample', interval '30 days', if_not_exists => true);
call add_columnstore_policy('data.sample', interval '7 days', if_not_exists => true);
select add_continuous_aggregate_policy(
    'data.sample_1h', interval '3 days', interval '1 hour', interval '10 minutes',
    if_not_exists => true
);
select add_job('internal.count_samples', interval '1 hour', config => '{"keep": 1}')
where not exists (
    select from timescaledb_information.jobs where proc_name = 'count_samples'
);
""",
    "grants.sql": """
revoke all on all functions in schema internal, api, ops from public;
revoke all on all procedures in schema internal, api, ops from public;
grant usage on schema api to supervisor_app;
grant execute on all functions in schema api to supervisor_app;
grant usage on schema analytics to supervisor_analyst, supervisor_dba;
grant select on all tables in schema analytics to supervisor_analyst, supervisor_dba;
""",
}


def write(sql_dir: Path, files: dict[str, str]) -> Path:
    """Write files, by path below `sql_dir`, and return `sql_dir`."""
    for path, text in files.items():
        (sql_dir / path).parent.mkdir(parents=True, exist_ok=True)
        (sql_dir / path).write_text(text, encoding="utf-8")
    return sql_dir
