create or replace function internal.sketch_places(p_sketch numeric)
returns table (place integer, n bigint)
language sql immutable parallel safe
begin atomic
    -- The binary form of a number is its number of digits to base 10,000, the place of the first one
    -- and its sign, then the digits, two bytes each. Three of them are the twelve decimal digits of a bin.
    -- `offset 0` keeps it from being computed for each place.
    select
        counted.place,
        counted.n
    from (
        select
            digits.place - number as place,
            (get_byte(bytes, 6 * number) * 256 + get_byte(bytes, 6 * number + 1)) * 100000000::bigint
            + (get_byte(bytes, 6 * number + 2) * 256 + get_byte(bytes, 6 * number + 3)) * 10000
            + get_byte(bytes, 6 * number + 4) * 256 + get_byte(bytes, 6 * number + 5) as n
        from (
            select
                floor(weight / 3.0)::integer as place,
                -- Starts and ends with a whole bin.
                substr('\x00000000'::bytea, 1, 2 * (2 - (weight % 3 + 3) % 3))
                || substr(bytes, 9)
                || '\x00000000'::bytea as bytes
            from (
                select
                    bytes,
                    (get_byte(bytes, 2) * 256 + get_byte(bytes, 3) + 32768) % 65536 - 32768 as weight
                from (
                    select bytes
                    from (values (numeric_send(p_sketch))) as number (bytes)
                    offset 0 -- noqa: AM09
                ) as number
            ) as number
            offset 0 -- noqa: AM09
        ) as digits
        cross join lateral generate_series((length(bytes) + 1) / 6 - 1, 0, -1) as number
        offset 0 -- noqa: AM09
    ) as counted
    where counted.n > 0;
end;
comment on function internal.sketch_places(numeric) is
'The places of a sketch that count observations: twelve decimal digits each, 0 for the lowest ones.';
