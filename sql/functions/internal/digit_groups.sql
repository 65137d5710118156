create or replace function internal.digit_groups(p_number numeric) returns bytea
language plpgsql immutable strict parallel safe
as $$
declare
    -- Where standard_conforming_strings is off, no literal of bytes can be read.
    c_zeros constant bytea := decode('00000000', 'hex');
    -- The binary form of a number is its number of digits to base 10,000, the place of the first one, its sign
    -- and its scale, then the digits, two bytes each, without zeros at the end.
    v_sent constant bytea := numeric_send(p_number);
    v_weight constant integer := get_byte(v_sent, 2) * 256 + get_byte(v_sent, 3);
begin
    return substr(c_zeros, 1, 2 * (2 - v_weight % 3))
        || substr(v_sent, 9)
        || substr(c_zeros, 1, 2 * v_weight + 10 - length(v_sent));
end
$$;
comment on function internal.digit_groups(numeric) is
'The digits of a number in groups of twelve, the highest first, six bytes each. p_number is 0, or an integer
that is no multiple of 10^12.';
