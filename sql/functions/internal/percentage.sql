create or replace function internal.percentage(p_part numeric, p_whole numeric)
returns double precision
language sql immutable parallel safe
begin atomic
    select (100 * p_part / nullif(p_whole, 0))::double precision;
end;
comment on function internal.percentage(
    numeric, numeric
) is 'p_part of p_whole in per cent; null when p_whole is zero.';
