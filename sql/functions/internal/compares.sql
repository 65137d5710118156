create or replace function internal.compares(
    p_value double precision, p_operator text, p_threshold double precision
)
returns boolean
language sql immutable parallel safe
begin atomic
    select case p_operator
        when '>' then p_value > p_threshold
        when '>=' then p_value >= p_threshold
        when '<' then p_value < p_threshold
        when '<=' then p_value <= p_threshold
        when '==' then p_value = p_threshold
        when '!=' then p_value <> p_threshold
    end;
end;
comment on function internal.compares(double precision, text, double precision) is
'Whether a value meets the condition of a rule; null where there is no value.';
