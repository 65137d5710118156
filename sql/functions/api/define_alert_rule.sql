create or replace function api.define_alert_rule(p_name text, p_document jsonb, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_sent constant jsonb := case jsonb_typeof(p_document)
        when 'object' then jsonb_build_object('name', p_name) || p_document
        else p_document
    end;
    v_faults constant jsonb := internal.alert_rule_faults(p_name, v_sent);
    v_document jsonb;
    v_created boolean;
    v_rule data.alert_rule;
    v_last data.alert_rule_version;
    v_next data.alert_rule_version;
begin
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    v_document := internal.alert_rule_defaults(v_sent);

    insert into data.alert_rule (name, created_at)
    select p_name, p_now
    -- `on conflict` alone would use up a number for every definition.
    where not exists (select from data.alert_rule where name = p_name)
    on conflict (namespace, name) do nothing;
    v_created := found;
    -- An evaluation that runs ends first, and none begins before this is committed.
    select * into v_rule
    from data.alert_rule
    where name = p_name
    for no key update;
    select * into v_last
    from data.alert_rule_version
    where rule_id = v_rule.rule_id
    order by version desc
    limit 1;

    v_next := v_last;
    if v_rule.deleted_at is not null or v_last.document is distinct from v_document then
        perform internal.check_alert_rule_quotas(v_rule.rule_id, p_now);
        v_next := row(
            v_rule.rule_id,
            coalesce(v_last.version, 0) + 1,
            v_document,
            v_sent ->> 'author',
            internal.version_from(v_last.valid, p_now)
        );
        perform internal.end_alert_rule_version(v_rule.rule_id, lower(v_next.valid));
        insert into data.alert_rule_version
        select v_next.*;
        update data.alert_rule
        set
            deleted_at = null,
            deleted_by = null,
            due_at = null,
            error = null,
            error_since = null,
            -- Alone until its evaluation is known to be short.
            cancellations = least(cancellations, 1)
        where rule_id = v_rule.rule_id;
    end if;

    return internal.definition_json(
        p_name, v_created, v_rule.deleted_at is not null, v_last.version, v_last.document,
        v_next.version, v_document, v_next.author, lower(v_next.valid)
    );
end
$$;
comment on function api.define_alert_rule(text, jsonb, timestamptz) is
'Defines an alert rule, or changes it: what p_document leaves out has its default. p_document is {author,
condition, for, keep_firing_for, severity, labels, annotations, no_data, enabled}; see
internal.alert_rule_schema. Another document begins a new version; the same one changes nothing. Returns
{name, outcome, version, author, defined_at, changes}; outcome is created, changed, unchanged, or restored
for a rule that was deleted. changes is [{field, before, after}] against the version before.
Errors: document_refused, count_within_quota.';
