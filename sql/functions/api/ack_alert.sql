create or replace function api.ack_alert(
    p_id text, p_author text, p_until timestamptz, p_note text, p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_answer json;
begin
    perform internal.check_author(p_author);
    if p_until <= p_now then
        raise exception 'until (%) is not after now (%)', p_until, p_now
            using errcode = 'SV422', constraint = 'until_in_future', column = 'until',
            hint = 'Send a later until, or none: the acknowledgement holds until the alert is resolved.';
    end if;
    if length(p_note) not between 1 and 1000 then
        raise exception 'note is not a text of 1 to 1000 characters'
            using errcode = 'SV422', constraint = 'note_in_range', column = 'note',
            hint = 'Send a shorter note, or none.';
    end if;
    update data.alert
    set acked_by = p_author, acked_at = p_now, acked_until = p_until, ack_note = p_note
    from data.alert_rule
    where alert.fingerprint = p_id and alert.rule_id = alert_rule.rule_id
    returning json_build_object(
        'id', alert.fingerprint,
        'rule', alert_rule.name,
        'state', alert.state,
        'ack', internal.ack_json(alert, p_now)
    )
    into v_answer;
    if v_answer is null then
        raise exception 'no active alert "%"', left(p_id, 100)
            using errcode = 'SV404', constraint = 'alert_unknown', column = 'id',
            hint = 'list_active_alerts (GET /alerts/active) lists the alerts with their ids.';
    end if;
    return v_answer;
end
$$;
comment on function api.ack_alert(text, text, timestamptz, text, timestamptz) is
'Notes that p_author takes care of the active alert p_id, until p_until or, for null, until it is
resolved. A later acknowledgement replaces the one before. Returns {id, rule, state, ack: {author, at,
until, note}}.
Errors: author_well_formed, until_in_future, note_in_range, alert_unknown.';
