create or replace view analytics.alert_rule_versions
with (security_barrier) as
select
    rule.namespace,
    rule.name,
    version.version,
    version.author,
    version.valid,
    lower(version.valid) as valid_from,
    upper(version.valid) as valid_to,
    version.document
from data.alert_rule_version as version
inner join data.every_alert_rule as rule on version.rule_id = rule.rule_id
where coalesce(rule.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.alert_rule_versions is
'Every version that an alert rule had. `valid @> <time>` selects the one of a time.';
comment on column analytics.alert_rule_versions.namespace is 'Namespace; empty for the default one.';
comment on column analytics.alert_rule_versions.name is 'Name of the rule.';
comment on column analytics.alert_rule_versions.version is 'Number of the version: 1, 2 and so on.';
comment on column analytics.alert_rule_versions.author is 'Who defined it.';
comment on column analytics.alert_rule_versions.valid is 'When it was in force.';
comment on column analytics.alert_rule_versions.valid_from is 'Beginning of that time.';
comment on column analytics.alert_rule_versions.valid_to is
'End of that time; null for the present version.';
comment on column analytics.alert_rule_versions.document is 'What the rule said, with its defaults.';
