create or replace function internal.unit_fault(p_unit text, p_settled text, p_value jsonb) returns text
language sql immutable parallel safe
begin atomic
    select
        'The unit of the kind is "' || p_settled || '". '
        || case
            when sent.scale -> 0 = settled.scale -> 0
                then
                    case when sent.factor >= settled.factor then 'Multiply ' else 'Divide ' end
                    || case jsonb_typeof(p_value) when 'object' then 'bounds and sum' else 'the value' end
                    || ' by '
                    || trim_scale(
                        greatest(sent.factor, settled.factor) / least(sent.factor, settled.factor)
                    )
                    || ' and send "' || p_settled || '".'
            else 'Convert the value, or send it as another metric.'
        end
    from
        (
            select
                scale,
                (scale -> 1)::numeric as factor
            from internal.unit_scale(p_unit) as scale
        ) as sent,
        (
            select
                scale,
                (scale -> 1)::numeric as factor
            from internal.unit_scale(p_settled) as scale
        ) as settled
    where not internal.is_unit(p_unit, p_settled);
end;
comment on function internal.unit_fault(text, text, jsonb) is
'What is wrong with a unit that is not the settled one of its kind, and how to convert the value; null
for the settled unit and its synonyms.';
