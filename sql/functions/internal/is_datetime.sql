create or replace function internal.is_datetime(p_text text) returns boolean
language sql immutable parallel safe
begin atomic
    -- A regular expression takes seven times as long. One separator too many leaves less than 14 digits.
    select replace(replace(replace(p_text, '-', ''), ':', ''), 'T', '')::bigint >= 10000000000000;
end;
comment on function internal.is_datetime(text) is
'Whether a text like ____-__-__T__:__:__ has digits between its separators, and a year from 1000 on. Raises
data_exception for most others.';
