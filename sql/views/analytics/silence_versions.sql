create or replace view analytics.silence_versions
with (security_barrier) as
select
    namespace,
    silence_id as id,
    version,
    author,
    comment,
    changed_at,
    cancelled,
    lower(during) as starts_at,
    upper(during) as ends_at,
    matchers
from data.every_silence_version
where coalesce(namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.silence_versions is
'Every version that a silence had; the last one is the present one.';
comment on column analytics.silence_versions.namespace is 'Namespace; empty for the default one.';
comment on column analytics.silence_versions.id is 'Name of the silence.';
comment on column analytics.silence_versions.version is 'Number of the version: 1, 2 and so on.';
comment on column analytics.silence_versions.author is 'Who created, changed or cancelled it.';
comment on column analytics.silence_versions.comment is 'Why.';
comment on column analytics.silence_versions.changed_at is 'When.';
comment on column analytics.silence_versions.cancelled is 'Whether this change cancelled it.';
comment on column analytics.silence_versions.starts_at is 'From when it was to count.';
comment on column analytics.silence_versions.ends_at is 'Until when it was to count.';
comment on column analytics.silence_versions.matchers is 'What the labels had to match.';
