create or replace function internal.metric_reach(p_condition jsonb) returns interval
language sql stable
begin atomic
    select
        case
            when
                p_condition ->> 'type' = 'metric'
                or p_condition ->> 'type' = 'burn_rate' and p_condition ? 'kind'
                or p_condition ? 'during'
                -- A change is that from the window before.
                then
                    internal.condition_window(p_condition)
                    * case
                        when coalesce(p_condition -> 'during', p_condition) ->> 'compare' = 'change' then 2
                        else 1
                    end
        end;
end;
comment on function internal.metric_reach(jsonb) is
'How far back a condition reads metrics; null where it reads none.';
