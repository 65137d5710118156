-- Alert rules, their versions, the alerts that they raise, and what has become of these.

create table data.every_alert_rule (
    rule_id bigint generated always as identity,
    name text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    deleted_by text,
    evaluated_at timestamptz,
    due_at timestamptz,
    error text,
    error_since timestamptz,
    cancellations integer not null default 0,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint alert_rule_pkey primary key (rule_id),
    constraint alert_rule_name_taken unique (namespace, name),
    constraint alert_rule_name_well_formed check (internal.fits(name, 'alert_rule_name')),
    constraint deleted_by_well_formed check (internal.fits(deleted_by, 'owner')),
    constraint deleted_by_someone check ((deleted_at is null) = (deleted_by is null)),
    constraint error_since_error check ((error is null) = (error_since is null)),
    constraint cancellations_counted check (cancellations >= 0)
) with (fillfactor = 50);
comment on table data.every_alert_rule is
'A rule that raises alerts. What it says is in data.alert_rule_version.';
comment on column data.every_alert_rule.rule_id is 'Number of the rule.';
comment on column data.every_alert_rule.name is 'Name of the rule, and label alertname of its alerts.';
comment on column data.every_alert_rule.created_at is 'When it was defined first.';
comment on column data.every_alert_rule.deleted_at is 'When it was deleted; null while it exists.';
comment on column data.every_alert_rule.deleted_by is 'Who deleted it; null while it exists.';
comment on column data.every_alert_rule.evaluated_at is 'Time for which it was evaluated last.';
comment on column data.every_alert_rule.due_at is
'When it is to be evaluated next; null for at once.';
comment on column data.every_alert_rule.error is 'Why it could not be evaluated; null where it could.';
comment on column data.every_alert_rule.error_since is 'Since when it cannot be evaluated.';
comment on column data.every_alert_rule.cancellations is
'How many evaluations in a row took too long and were cancelled; 1 also after one that took long. A rule
with any is evaluated alone.';
comment on column data.every_alert_rule.namespace is 'Namespace; empty for the default one.';

create view data.alert_rule with (check_option = cascaded) as
select
    rule_id,
    name,
    created_at,
    deleted_at,
    deleted_by,
    evaluated_at,
    due_at,
    error,
    error_since,
    cancellations,
    namespace
from data.every_alert_rule
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.alert_rule is 'The alert rules of the namespace that the transaction works in.';

create table data.alert_rule_version (
    rule_id bigint not null,
    version integer not null,
    document jsonb not null,
    author text not null,
    valid tstzrange not null,
    constraint alert_rule_version_pkey primary key (rule_id, version),
    constraint alert_rule_version_of_rule foreign key (rule_id) references data.every_alert_rule,
    constraint alert_rule_version_once exclude using gist (rule_id with =, valid with &&),
    constraint alert_rule_version_valid check (
        not isempty(valid) and lower_inc(valid) and not upper_inc(valid)
    ),
    constraint author_well_formed check (internal.fits(author, 'owner'))
);
create unique index alert_rule_version_present on data.alert_rule_version (rule_id) where upper_inf(valid);
comment on table data.alert_rule_version is
'What a rule said, and from when until when. A row is never changed but for the end of valid.';
comment on column data.alert_rule_version.rule_id is 'Rule.';
comment on column data.alert_rule_version.version is 'Number of the version: 1, 2 and so on.';
comment on column data.alert_rule_version.document is
'The rule, with its defaults; see internal.alert_rule_schema.';
comment on column data.alert_rule_version.author is 'Who defined this version.';
comment on column data.alert_rule_version.valid is 'From its definition until that of the next version.';

insert into data.quota (name, value, used) values
('alert_rules', 10000, null),
('alerts_per_rule', 1000, null),
('new_versions_per_alert_rule_and_hour', 100, null);

create table data.alert_evaluation (
    single boolean not null default true,
    began_at timestamptz not null,
    ended_at timestamptz not null,
    constraint alert_evaluation_pkey primary key (single),
    constraint alert_evaluation_single check (single)
) with (fillfactor = 50);
comment on table data.alert_evaluation is 'The last run of the job that evaluates alert rules.';
comment on column data.alert_evaluation.single is 'There is one row at most.';
comment on column data.alert_evaluation.began_at is 'When it began.';
comment on column data.alert_evaluation.ended_at is 'When it ended.';

create table data.every_alert (
    rule_id bigint not null,
    fingerprint text not null,
    version integer not null,
    label text not null,
    labels jsonb not null,
    annotations jsonb not null,
    state text not null,
    active_at timestamptz not null,
    fired_at timestamptz,
    recovering_at timestamptz,
    value double precision,
    evidence jsonb not null,
    acked_by text,
    acked_at timestamptz,
    acked_until timestamptz,
    ack_note text,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint alert_pkey primary key (namespace, fingerprint),
    constraint alert_of_rule foreign key (rule_id) references data.every_alert_rule,
    constraint alert_state_known check (state in ('pending', 'firing')),
    constraint alert_fired check ((state = 'firing') = (fired_at is not null)),
    constraint ack_complete check ((acked_by is null) = (acked_at is null))
) with (fillfactor = 50);
create index alert_by_rule on data.every_alert (rule_id, label);
comment on table data.every_alert is 'The alerts that are pending or firing.';
comment on column data.every_alert.rule_id is 'Rule.';
comment on column data.every_alert.fingerprint is 'Digest of the labels.';
comment on column data.every_alert.version is 'Version of the rule that evaluated it last.';
comment on column data.every_alert.label is
'Group of the rule that it is about; empty where the rule has none.';
comment on column data.every_alert.labels is 'Labels, among them alertname and severity.';
comment on column data.every_alert.annotations is 'Annotations, with their placeholders filled in.';
comment on column data.every_alert.state is 'pending or firing.';
comment on column data.every_alert.active_at is 'Since when the condition holds.';
comment on column data.every_alert.fired_at is 'Since when it is firing; null while it is pending.';
comment on column data.every_alert.recovering_at is
'Since when the condition of a firing alert no longer holds; null while it does.';
comment on column data.every_alert.value is 'Value of the condition at the last change of state.';
comment on column data.every_alert.evidence is
'What the value was computed from, and the query that shows it.';
comment on column data.every_alert.acked_by is 'Who has acknowledged it; null for nobody.';
comment on column data.every_alert.acked_at is 'When it was acknowledged.';
comment on column data.every_alert.acked_until is
'Until when the acknowledgement holds; null for the whole alert.';
comment on column data.every_alert.ack_note is 'Note of who acknowledged it.';
comment on column data.every_alert.namespace is 'Namespace; empty for the default one.';

create view data.alert with (check_option = cascaded) as
select
    rule_id,
    fingerprint,
    version,
    label,
    labels,
    annotations,
    state,
    active_at,
    fired_at,
    recovering_at,
    value,
    evidence,
    acked_by,
    acked_at,
    acked_until,
    ack_note,
    namespace
from data.every_alert
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.alert is 'The alerts of the namespace that the transaction works in.';

create table data.alert_transition (
    transition_id bigint generated always as identity,
    at timestamptz not null,
    rule_id bigint not null,
    version integer not null,
    fingerprint text not null,
    labels jsonb not null,
    from_state text not null,
    to_state text not null,
    value double precision,
    late boolean not null,
    evidence jsonb not null,
    annotations jsonb not null,
    change bigint not null default pg_current_xact_id()::text::bigint,
    constraint alert_transition_states check (
        (from_state, to_state) in (
            ('inactive', 'pending'), ('inactive', 'firing'), ('pending', 'firing'),
            ('pending', 'inactive'), ('firing', 'resolved')
        )
    )
);
select create_hypertable(
    'data.alert_transition', by_range('at', interval '30 days'), create_default_indexes => false
);
create index alert_transition_by_time on data.alert_transition (at, transition_id);
create index alert_transition_by_rule on data.alert_transition (rule_id, at);
create index alert_transition_by_alert on data.alert_transition (fingerprint, at);
create index alert_transition_by_change on data.alert_transition (change, transition_id);
alter table data.alert_transition set (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'rule_id',
    timescaledb.orderby = 'at, transition_id'
);
comment on table data.alert_transition is 'Every change of the state of an alert, with its evidence.';
comment on column data.alert_transition.transition_id is 'Number of the transition.';
comment on column data.alert_transition.at is 'Time of the evaluation that found it.';
comment on column data.alert_transition.rule_id is 'Rule.';
comment on column data.alert_transition.version is 'Version of the rule.';
comment on column data.alert_transition.fingerprint is 'Digest of the labels.';
comment on column data.alert_transition.labels is 'Labels of the alert.';
comment on column data.alert_transition.from_state is 'inactive, pending or firing.';
comment on column data.alert_transition.to_state is 'pending, firing, inactive or resolved.';
comment on column data.alert_transition.value is 'Value of the condition.';
comment on column data.alert_transition.late is
'Whether late data changed the condition: it was otherwise at the evaluation before.';
comment on column data.alert_transition.evidence is
'What the value was computed from: counts, watermark, and the query that shows it.';
comment on column data.alert_transition.annotations is 'Annotations of the alert.';
comment on column data.alert_transition.change is 'Transaction, for readers that follow the table.';

create type data.alert_step as (
    state text,
    active_at timestamptz,
    fired_at timestamptz,
    recovering_at timestamptz
);
comment on type data.alert_step is
'The state of an alert after an evaluation: inactive, pending, firing or resolved; since when its condition
holds, since when it is firing, and since when the condition of a firing alert no longer holds.';

create type data.alert_reading as (
    rule_id bigint,
    at timestamptz,
    label text,
    value double precision,
    active boolean,
    observations bigint,
    parts double precision []
);
comment on type data.alert_reading is
'The condition of a rule for a group at a time. active is null where there is no data; parts are what the
value was computed from.';

create table data.every_silence (
    silence_id text not null,
    matchers jsonb not null,
    during tstzrange not null,
    author text not null,
    comment text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    cancelled_at timestamptz,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint silence_pkey primary key (namespace, silence_id),
    constraint silence_id_well_formed check (internal.fits(silence_id, 'identifier')),
    constraint silence_closed check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    ),
    constraint author_well_formed check (internal.fits(author, 'owner')),
    constraint comment_in_range check (length(comment) between 1 and 1000)
);
create index silence_by_time on data.every_silence using gist (during);
comment on table data.every_silence is 'Times in which alerts with certain labels notify nobody.';
comment on column data.every_silence.silence_id is 'Name that its author chose.';
comment on column data.every_silence.matchers is
'What the labels must match, all of it: [{name, operator, value}].';
comment on column data.every_silence.during is 'From when until when.';
comment on column data.every_silence.author is 'Who created it or changed it last.';
comment on column data.every_silence.comment is 'Why.';
comment on column data.every_silence.created_at is 'When it was created.';
comment on column data.every_silence.updated_at is 'When it was changed last.';
comment on column data.every_silence.cancelled_at is 'When it was cancelled; null while it counts.';
comment on column data.every_silence.namespace is 'Namespace; empty for the default one.';

create view data.silence with (check_option = cascaded) as
select
    silence_id,
    matchers,
    during,
    author,
    comment,
    created_at,
    updated_at,
    cancelled_at,
    namespace
from data.every_silence
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.silence is 'The silences of the namespace that the transaction works in.';

create table data.every_silence_version (
    silence_id text not null,
    version integer not null,
    matchers jsonb not null,
    during tstzrange not null,
    cancelled boolean not null,
    author text not null,
    comment text not null,
    changed_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint silence_version_pkey primary key (namespace, silence_id, version),
    constraint silence_version_of_silence foreign key (namespace, silence_id) references data.every_silence
);
create index silence_version_by_time on data.every_silence_version (changed_at);
comment on table data.every_silence_version is
'What a silence said after each change, the last one included. A row is never changed.';
comment on column data.every_silence_version.silence_id is 'Silence.';
comment on column data.every_silence_version.version is 'Number of the version: 1, 2 and so on.';
comment on column data.every_silence_version.matchers is 'What the labels had to match.';
comment on column data.every_silence_version.during is 'From when until when.';
comment on column data.every_silence_version.cancelled is 'Whether this change cancelled it.';
comment on column data.every_silence_version.author is 'Who created, changed or cancelled it.';
comment on column data.every_silence_version.comment is 'Why.';
comment on column data.every_silence_version.changed_at is 'When.';
comment on column data.every_silence_version.namespace is 'Namespace; empty for the default one.';

create view data.silence_version with (check_option = cascaded) as
select
    silence_id,
    version,
    matchers,
    during,
    cancelled,
    author,
    comment,
    changed_at,
    namespace
from data.every_silence_version
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.silence_version is
'The versions of silences of the namespace that the transaction works in.';

insert into data.quota (name, value, used) values
('silences', 200, null),
('new_versions_of_silences_per_hour', 1000, null);
