create or replace function internal.digit_groups(p_number numeric) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
    -- The binary form of a number is its number of digits to base 10,000, the place of the first one, its sign
    -- and its scale, then the digits, two bytes each, without zeros at the end.
    v_sent constant bytea := numeric_send(p_number);
    v_weight constant integer := get_byte(v_sent, 2) * 256 + get_byte(v_sent, 3);
begin
    return substr('\x00000000'::bytea, 1, 2 * (2 - v_weight % 3))
        || substr(v_sent, 9)
        || substr('\x00000000'::bytea, 1, 2 * v_weight + 10 - length(v_sent));
end
$$;
comment on function internal.digit_groups(numeric) is
'The digits of an integer in groups of twelve, the highest first, six bytes each. At least one of the last
twelve is not zero, or all are.';
