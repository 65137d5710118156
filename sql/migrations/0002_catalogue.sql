-- The catalogue: kinds, sources and series, the rules of their names, and the namespaces that they are in.

create function internal.text_rules() returns jsonb
language sql immutable parallel safe
begin atomic
    -- A server is also a part of a path, where . and .. mean another one.
    -- A bounded repetition such as {0,199} makes a pattern slow, so lengths are beside the patterns.
    select '{
    "metric_name": {"pattern": "^[A-Za-z_][A-Za-z0-9_.:/-]*$", "maxLength": 200},
    "fact_kind": {"pattern": "^Fact:[A-Za-z][A-Za-z0-9_.]*$", "maxLength": 105},
    "source_name": {"pattern": "^[^\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$", "maxLength": 200},
    "label_name": {"pattern": "^[A-Za-z_][A-Za-z0-9_.]*$", "maxLength": 100},
    "unit": {"pattern": "^[^\u0001-\u001f\u007f-\u009f]+$", "maxLength": 50},
    "fact_id": {"pattern": "^[^\u0001-\u001f\u007f-\u009f]+$", "maxLength": 200},
    "idempotency_key": {"pattern": "^[^\u0001-\u0020\u007f-\u00a0]+$", "maxLength": 200},
    "window": {"pattern": "^[1-9][0-9]{0,3}[hd]$", "maxLength": 5},
    "step": {"pattern": "^[1-9][0-9]{0,3}[smhd]$", "maxLength": 5},
    "group_by": {"pattern": "^(source|label\\.[A-Za-z_][A-Za-z0-9_.]*)$", "maxLength": 106},
    "server_name": {"pattern": "^([.]*[A-Za-z0-9-][A-Za-z0-9.-]*/)?[.]*[A-Za-z0-9_-][A-Za-z0-9._-]*$", "maxLength": 200},
    "owner": {"pattern": "^[^\u0001-\u001f\u007f-\u009f]+$", "maxLength": 200},
    "tag": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]*$", "maxLength": 100},
    "identifier": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.:-]*$", "maxLength": 200},
    "alert_rule_name": {"pattern": "^[A-Za-z_][A-Za-z0-9_.:-]*$", "maxLength": 200},
    "duration": {"pattern": "^(0|[1-9][0-9]{0,3})[smhd]$", "maxLength": 5},
    "namespace": {"pattern": "^([a-z0-9][a-z0-9-]*)?$", "maxLength": 63},
    "key_id": {"pattern": "^[a-z0-9]{8}$", "maxLength": 8},
    "cursor": {"pattern": "^([2-7][0-9a-f])+$", "maxLength": 1000}
}'::jsonb;
end;
comment on function internal.text_rules() is
'The pattern and the greatest length of every text with a rule, as JSON Schema names them. The
application reads them from here when it is generated.';

create function internal.fits(p_text text, p_rule text) returns boolean
language sql immutable parallel safe
begin atomic
    select
        p_text ~ (internal.text_rules() #>> array[p_rule, 'pattern'])
        and length(p_text) <= (internal.text_rules() #>> array[p_rule, 'maxLength'])::integer;
end;
comment on function internal.fits(text, text) is 'Whether a text follows a rule of internal.text_rules.';

create function internal.is_labels(p_labels jsonb) returns boolean
language sql immutable parallel safe
begin atomic
    select case jsonb_typeof(p_labels)
        when 'object'
            then (
                select
                    count(*) <= 32
                    and coalesce(bool_and(
                        internal.fits(key, 'label_name')
                        and jsonb_typeof(value) = 'string'
                        and length(value #>> '{}') <= 500
                    ), true)
                from jsonb_each(p_labels)
            )
        else coalesce(p_labels, 'null') = 'null'
    end;
end;
comment on function internal.is_labels(jsonb) is
'Whether this maps at most 32 label names to strings of at most 500 characters, or is absent.';

-- Not strict and with no settings of its own: it becomes a part of the plan.
create function internal.namespace() returns text
language sql stable parallel safe
begin atomic
    select coalesce(current_setting('supervisor.namespace', true), '');
end;
comment on function internal.namespace() is
'The namespace that the transaction works in: the service sets it for who sends the request, and a job for
each. Empty is the default one.';

create table data.namespace_login (
    login regrole not null,
    namespace text not null,
    constraint namespace_login_pkey primary key (login, namespace),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace'))
);
comment on table data.namespace_login is
'The namespaces of logins that see only some. A login that is not in it sees all of them.';
comment on column data.namespace_login.login is
'Role that logs in, also under another name.';
comment on column data.namespace_login.namespace is 'Namespace; empty for the default one.';

-- Logged: every view of analytics reads it, also on a standby.
create table data.statement (
    backend integer not null,
    namespace text not null,
    constraint statement_alone_in_backend primary key (backend),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace'))
);
comment on table data.statement is
'The namespace of the statement of query_sql that a backend runs. Its transaction is rolled back, so no row
stays, and no other one sees it.';
comment on column data.statement.backend is 'Process of the server.';
comment on column data.statement.namespace is 'Namespace; empty for the default one.';

-- Each table data.every_<noun> holds the rows of every namespace; its view data.<noun> shows and takes those
-- of the present one. What hangs off an id of such a row, as series and samples do, is in its namespace. The
-- views have the expression of internal.namespace() instead of a call, which is planned for each of them.
create table data.every_kind (
    kind_id bigint generated always as identity,
    name text not null,
    type text not null,
    unit text,
    created_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint kind_pkey primary key (kind_id),
    constraint kind_name_taken unique (namespace, name),
    constraint kind_name_well_formed check (
        internal.fits(name, 'metric_name') and (type <> 'fact' or internal.fits(name, 'fact_kind'))
    ),
    constraint kind_prefix_matches_type check ((type = 'fact') = starts_with(name, 'Fact:')),
    constraint kind_type_known check (type in ('gauge', 'counter', 'histogram', 'fact')),
    constraint kind_unit_well_formed check (internal.fits(unit, 'unit'))
);
comment on table data.every_kind is 'A metric name or a fact kind; registered when first seen.';
comment on column data.every_kind.kind_id is 'Number of the kind.';
comment on column data.every_kind.name is 'A metric name, or Fact:<Name>.';
comment on column data.every_kind.type is 'gauge, counter, histogram or fact; it never changes.';
comment on column data.every_kind.unit is
'Unit of the values, of the first item that named one; it never changes.';
comment on column data.every_kind.created_at is 'When the kind was first seen.';
comment on column data.every_kind.namespace is 'Namespace; empty for the default one.';

create view data.kind with (check_option = cascaded) as
select
    kind_id,
    name,
    type,
    unit,
    created_at,
    namespace
from data.every_kind
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.kind is 'The kinds of the namespace that the transaction works in.';

create table data.every_source (
    source_id bigint generated always as identity,
    name text not null,
    created_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint source_pkey primary key (source_id),
    constraint source_name_taken unique (namespace, name),
    constraint source_name_well_formed check (internal.fits(name, 'source_name'))
);
comment on table data.every_source is 'An MCP server or agent that sends metrics or facts.';
comment on column data.every_source.source_id is 'Number of the source.';
comment on column data.every_source.name is 'Name that the source gives itself.';
comment on column data.every_source.created_at is 'When the source was first seen.';
comment on column data.every_source.namespace is 'Namespace; empty for the default one.';

create view data.source with (check_option = cascaded) as
select
    source_id,
    name,
    created_at,
    namespace
from data.every_source
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.source is 'The sources of the namespace that the transaction works in.';

create table data.series (
    series_id bigint generated always as identity,
    kind_id bigint not null,
    source_id bigint not null,
    labels jsonb not null,
    -- One key for all three columns: with a key of three columns, a plan may look a series up by its
    -- source alone and compare the labels of each. Labels may also be longer than a btree entry.
    series_key uuid not null generated always as (
        md5(kind_id::text || '/' || source_id::text || labels::text)::uuid
    ) stored,
    created_at timestamptz not null,
    constraint series_pkey primary key (series_id),
    constraint series_once unique (series_key),
    constraint series_labels_well_formed check (internal.is_labels(labels)),
    constraint series_of_kind foreign key (kind_id) references data.every_kind,
    constraint series_of_source foreign key (source_id) references data.every_source
);
create index series_by_kind on data.series (kind_id);
create index series_by_source on data.series (source_id, created_at);
create index series_by_time on data.series (created_at);
comment on table data.series is
'One kind from one source with one set of labels; a fact kind has one series per source.';
comment on column data.series.series_id is 'Number of the series.';
comment on column data.series.kind_id is 'Kind that is measured.';
comment on column data.series.source_id is 'Source that sends it.';
comment on column data.series.labels is 'Label names and values, all strings.';
comment on column data.series.series_key is 'MD5 of kind, source and labels.';
comment on column data.series.created_at is 'When the series was first seen.';

create table data.quota (
    name text not null,
    value bigint not null,
    used bigint,
    constraint quota_pkey primary key (name),
    constraint quota_positive check (value > 0)
);
comment on table data.quota is 'Limits that a database administrator can change with ops.set_quota.';
comment on column data.quota.name is 'Name of the limit.';
comment on column data.quota.value is 'The limit; the name contains its unit.';
comment on column data.quota.used is
'Rows that exist, counted when they are registered and recounted by the job prune_catalogue; null where
they are counted when needed.';
insert into data.quota (name, value, used) values
('kinds', 10000, 0),
('sources', 10000, 0),
('series', 1000000, 0),
('new_series_per_hour', 50000, null),
('new_series_per_source_and_hour', 2000, null);
