create or replace function internal.postpone_alert_rules(
    p_rules bigint[], p_taken interval, p_now timestamptz
)
returns void
language sql
begin atomic
    update data.every_alert_rule
    set
        cancellations = cancellations + 1,
        -- Of many that were evaluated together, most were not the cause: each is tried alone first.
        due_at = case
            when cancellations > 0
                then p_now + least(interval '1 hour', interval '1 minute' * 2 ^ least(cancellations - 1, 10))
        end,
        error = case
            when cancellations > 0
                then format(
                    'The evaluation takes longer than %s s. Narrow the window or the grouping.',
                    trunc(extract(epoch from p_taken), 1)::double precision
                )
            else error
        end,
        error_since = case when cancellations > 0 then coalesce(error_since, p_now) else error_since end
    where rule_id = any(p_rules);
end;
comment on function internal.postpone_alert_rules(bigint[], interval, timestamptz) is
'Notes that the evaluation of rules was canceled after p_taken. Each is due at once and alone; one that was
alone has an error, and is due after 1 minute, 2, 4 and so on up to an hour.';
