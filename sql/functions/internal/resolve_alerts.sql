create or replace function internal.resolve_alerts(p_rule bigint, p_reason text, p_now timestamptz)
returns integer
language plpgsql
as $$
declare
    v_resolved integer;
begin
    with ended as (
        delete from data.alert
        where rule_id = p_rule
        returning *
    )
    insert into data.alert_transition (
        at, rule_id, version, fingerprint, labels, from_state, to_state, value, late, evidence, annotations
    )
    select
        p_now,
        rule_id,
        version,
        fingerprint,
        labels,
        state,
        case state when 'firing' then 'resolved' else 'inactive' end,
        value,
        false,
        evidence || jsonb_build_object('reason', p_reason),
        annotations
    from ended
    order by fingerprint;
    get diagnostics v_resolved = row_count;
    return v_resolved;
end
$$;
comment on function internal.resolve_alerts(bigint, text, timestamptz) is
'Ends the alerts of a rule: a firing one is resolved, a pending one inactive. The reason is in the evidence
of the transitions, whose number is the answer.';
