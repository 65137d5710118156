create or replace function internal.change_alerts(p_rules data.alert_rule_version[], p_now timestamptz)
returns integer
language plpgsql
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_watermark constant timestamptz := nullif(internal.watermark('sample_1h'), '-infinity');
    v_transitions integer;
begin
    with rule as materialized (
        select
            stated.rule_id,
            stated,
            stated.document,
            named.name,
            named.evaluated_at,
            internal.rule_label(stated.document -> 'condition') as label_name,
            (stated.document ->> 'enabled')::boolean as enabled,
            (stated.document ->> 'for')::interval as lasts,
            (stated.document ->> 'keep_firing_for')::interval as keeps
        from unnest(p_rules) as stated
        inner join data.alert_rule as named on stated.rule_id = named.rule_id
    ),

    -- Of a hundred thousand groups, few are active or were.
    candidate as materialized (
        select
            coalesce(reading.rule_id, alert.rule_id) as rule_id,
            coalesce(reading.label, alert.label) as label,
            reading.value,
            reading.active,
            coalesce(reading.observations, 0) as observations,
            reading.parts,
            reading.rule_id is not null as has_reading,
            alert.fingerprint,
            alert.labels,
            alert.annotations,
            row(coalesce(alert.state, 'inactive'), alert.active_at, alert.fired_at, alert.recovering_at)::data.alert_step
            as step
        from internal.measure_conditions(
            array(select rule.stated from rule where rule.enabled), p_now, p_now, '1 second'
        ) as reading
        full join (
            select alert.*
            from data.alert
            where alert.rule_id in (select rule.rule_id from rule)
        ) as alert
            on reading.rule_id = alert.rule_id and reading.label = alert.label
        where reading.active is distinct from false or alert.fingerprint is not null
    ),

    judged as materialized (
        select
            candidate.*,
            rule.stated as rule,
            rule.document,
            rule.name,
            rule.label_name,
            rule.evaluated_at,
            made.new_labels,
            made.new_fingerprint,
            candidate.fingerprint <> made.new_fingerprint as relabeled,
            internal.judge_reading(
                rule.document,
                candidate.has_reading,
                candidate.active,
                -- New labels are another alert.
                rule.enabled and coalesce(candidate.fingerprint = made.new_fingerprint, true)
            ) as is_active,
            rule.lasts,
            rule.keeps,
            count(*) filter (where candidate.active is distinct from false) over (partition by candidate.rule_id) as alerts
        from candidate
        inner join rule on candidate.rule_id = rule.rule_id
        cross join lateral (
            select internal.alert_labels(rule.name, rule.document, rule.label_name, candidate.label) as labels
        ) as label
        cross join lateral (
            select
                label.labels as new_labels,
                left(md5(label.labels::text || candidate.label), 16) as new_fingerprint
        ) as made
    ),

    changed as materialized (
        select
            judged.*,
            next.step as next
        from judged
        cross join lateral (
            select
                internal.next_alert(
                    judged.step, judged.is_active, p_now, judged.lasts,
                    case when judged.relabeled then interval '0' else judged.keeps end
                ) as step
        ) as next
        where
            next.step is distinct from judged.step
            and internal.alerts_within_quota(judged.alerts)
    ),

    -- The condition of the evaluation before, by what is known now.
    before as materialized (
        select earlier.*
        from (
            select
                touched.evaluated_at,
                array_agg(touched.rule) as rules
            from (
                select distinct
                    changed.evaluated_at,
                    changed.rule
                from changed
                where
                    lower((changed.rule).valid) <= changed.evaluated_at
                    and (changed.next).state <> (changed.step).state
                    and not ((changed.step).state = 'pending' and (changed.next).state = 'firing')
            ) as touched
            group by touched.evaluated_at
        ) as past
        cross join lateral internal.measure_conditions(
            past.rules, past.evaluated_at, past.evaluated_at, '1 second'
        ) as earlier
    ),

    described as materialized (
        select
            changed.*,
            coalesce(
                (changed.step).state <> 'pending' and before.active = changed.is_active
                or (changed.step).state = 'pending' and (changed.next).state = 'inactive' and not before.active,
                false
            ) as late,
            evidence.document as evidence,
            case
                when changed.is_active then
                    internal.render_annotations(
                        changed.document -> 'annotations',
                        changed.new_labels,
                        coalesce(evidence.document ->> 'status', changed.value::text)
                    )
                else changed.annotations
            end as new_annotations
        from changed
        left join before on changed.rule_id = before.rule_id and changed.label = before.label
        cross join lateral (
            select
                internal.alert_evidence(
                    changed.rule,
                    row(
                        changed.rule_id, p_now, changed.label, changed.value, changed.is_active,
                        changed.observations, changed.parts
                    )::data.alert_reading,
                    changed.label_name,
                    p_now,
                    v_watermark
                ) as document
        ) as evidence
    ),

    transition as (
        insert into data.alert_transition (
            at, rule_id, version, fingerprint, labels, from_state, to_state, value, late, evidence, annotations
        )
        select
            p_now,
            rule_id,
            (rule).version,
            coalesce(fingerprint, new_fingerprint),
            coalesce(labels, new_labels),
            (step).state,
            (next).state,
            value,
            late,
            evidence,
            new_annotations
        from described
        where (next).state <> (step).state
        order by rule_id, label
        returning 1
    ),

    ended as (
        delete from data.alert
        using described
        where alert.fingerprint = described.fingerprint and (described.next).state in ('inactive', 'resolved')
    ),

    kept as (
        insert into data.alert as alert (
            rule_id, fingerprint, version, label, labels, annotations, state, active_at, fired_at,
            recovering_at, value, evidence
        )
        select
            rule_id,
            new_fingerprint,
            (rule).version,
            label,
            new_labels,
            new_annotations,
            (next).state,
            (next).active_at,
            (next).fired_at,
            (next).recovering_at,
            value,
            evidence
        from described
        where (next).state in ('pending', 'firing')
        on conflict (namespace, fingerprint) do update set
            version = excluded.version,
            annotations = excluded.annotations,
            state = excluded.state,
            fired_at = excluded.fired_at,
            recovering_at = excluded.recovering_at,
            value = coalesce(excluded.value, alert.value),
            evidence = excluded.evidence
    )

    select count(*) into v_transitions
    from transition;
    return v_transitions;
end
$$;
comment on function internal.change_alerts(data.alert_rule_version[], timestamptz) is
'Evaluates rules at p_now, changes their alerts and writes the transitions; their number.';
