create or replace function internal.condition_window(p_condition jsonb) returns interval
language sql stable
begin atomic
    select
        coalesce(
            (p_condition ->> 'window')::interval,
            (p_condition #>> '{during,window}')::interval,
            case
                when p_condition ->> 'type' = 'burn_rate'
                    then (select max(pair.long) from internal.burn_pairs(p_condition) as pair)
            end
        );
end;
comment on function internal.condition_window(jsonb) is
'The longest window that a condition looks at; null where it looks at the present only.';
