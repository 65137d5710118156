create or replace function internal.ack_json(p_alert data.alert, p_now timestamptz) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'author', p_alert.acked_by,
            'at', p_alert.acked_at,
            'until', p_alert.acked_until,
            'note', p_alert.ack_note
        )
    where p_alert.acked_by is not null and coalesce(p_alert.acked_until > p_now, true);
end;
comment on function internal.ack_json(data.alert, timestamptz) is
'The acknowledgement of an alert that holds: {author, at, until, note}; null without one.';
