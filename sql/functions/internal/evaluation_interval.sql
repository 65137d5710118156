create or replace function internal.evaluation_interval(p_condition jsonb) returns interval
language sql stable
begin atomic
    select
        greatest(
            interval '15 seconds',
            least(
                interval '5 minutes',
                coalesce(
                    (p_condition ->> 'window')::interval,
                    (p_condition #>> '{during,window}')::interval,
                    case
                        when p_condition ->> 'type' = 'burn_rate'
                            then (select min(pair.short) from internal.burn_pairs(p_condition) as pair)
                    end,
                    -- It looks at the present.
                    '0'
                ) / 120
            )
        );
end;
comment on function internal.evaluation_interval(jsonb) is
'How often a rule is evaluated: every 15 seconds, less often where its shortest window is longer than
half an hour, and at least every 5 minutes.';
