create or replace function internal.regex_length(p_bare text) returns double precision
language plpgsql immutable strict parallel safe
as $$
declare
    -- A larger bound than 255 does not compile; without a limit here, many of them would overflow.
    c_largest_bound constant integer := 256;
    v_token text;
    -- The length of each group that is open, outside of its inner groups; the whole comes first.
    v_open double precision [] := '{0}';
    v_depth integer := 1;
    -- The length of what a repetition that comes next would repeat.
    v_last double precision := 0;
    v_added double precision;
begin
    for v_token in
        select token.found[1] from regexp_matches(p_bare, '\{\d+(?:,\d*)?\}|.', 'g') as token (found)
    loop
        if v_token = '(' then
            v_open := v_open || 0;
            v_depth := v_depth + 1;
            continue;
        elsif v_token = ')' and v_depth > 1 then
            v_last := v_open[v_depth] + 2;
            v_added := v_last;
            v_depth := v_depth - 1;
            v_open := v_open[1:v_depth];
        elsif v_token ~ '^\{.' then
            v_added := v_last * (
                select greatest(1, least(c_largest_bound, max(bound.found[1]::numeric) + (v_token like '%,}')::integer))
                from regexp_matches(v_token, '\d+', 'g') as bound (found)
            ) - v_last;
            v_last := v_last + v_added;
        elsif v_token = '+' then
            v_added := v_last;
            v_last := v_last * 2;
        elsif v_token in ('*', '?', '|') then
            v_added := 1;
            v_last := v_last + 1;
        else
            v_added := 1;
            v_last := 1;
        end if;
        v_open[v_depth] := v_open[v_depth] + v_added;
    end loop;
    return (select sum(length) from unnest(v_open) as length);
end
$$;
comment on function internal.regex_length(text) is
'How many characters a regular expression without brackets and escapes has when x{3} is written out as
xxx, and x+ as xx. What compiling it takes grows faster than that.';
