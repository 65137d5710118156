create or replace function internal.read_plain_number(p_spelling text) returns double precision
language sql immutable parallel safe
begin atomic
    select
        case
            when
                p_spelling collate "C" > '-'
                and p_spelling not like '_%-___%'
                and octet_length(p_spelling) < 100
                then p_spelling::double precision + 0.0
        end;
end;
comment on function internal.read_plain_number(text) is
'The number that a JSON value is; null for anything else, and for one that may be near zero or is long, which
check_metrics reads. What JSON lets start like this is a number, or no SQL reads it. Adding zero drops the
sign of zero. Raises data_exception where it is out of range.';
