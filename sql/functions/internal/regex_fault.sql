create or replace function internal.regex_fault(p_regex text) returns text
language plpgsql
as $$
declare
    c_longest constant interval := '10 milliseconds';
    c_attempts constant integer := 3;
    c_repetitions constant integer := 10;
    -- A group (?=, (?!, (?<= or (?<!, outside of brackets and escapes.
    c_lookaround constant text := '[(][?]<?[=!]';
    v_bare constant text := regexp_replace(
        regexp_replace(p_regex, '\\.', 'x', 'g'), '\[\^?\]?(\[[:.=][^]]*\]|[^]])*\]', 'x', 'g'
    );
    -- As long as a value can be, of characters that the expression has.
    v_text constant text := left(
        repeat(regexp_replace(p_regex, '\W', '', 'g') || 'a', 500), 500 - length(c_repetitions::text)
    );
    -- What repetitions within repetitions come to: compiling them can exhaust the stack.
    v_repeated constant double precision := (
        select exp(sum(ln(greatest(bound.found[1]::double precision, 1))))
        from regexp_matches(v_bare, '\{\d*,?(\d+)', 'g') as bound (found)
    );
    v_began timestamptz;
begin
    if v_repeated > 25000 then
        return 'It repeats up to ' || round(v_repeated) || ' times. Send an expression with smaller repetitions.';
    end if;
    -- On its own, so that parentheses do not end the group around it.
    perform '' ~ p_regex;
    if exists (
        select from regexp_matches(p_regex, '\\(.)', 'g') as escape (found)
        where escape.found[1] between '1' and '9'
    ) then
        return 'It refers back to a group. Send an expression without \1 to \9.';
    end if;
    if v_bare ~ c_lookaround then
        return 'It looks around. Send an expression without (?=, (?!, (?<= and (?<!.';
    end if;
    for n in 1..c_attempts loop
        v_began := clock_timestamp();
        -- Another number of ^ makes it another expression, which is compiled again.
        perform from generate_series(1, c_repetitions) as i
        where (v_text || i) ~ (repeat('^', n) || '(?:' || p_regex || ')$');
        if clock_timestamp() - v_began < c_longest then
            return null;
        end if;
    end loop;
    return 'It takes too long. Send an expression with fewer or smaller repetitions.';
exception
    when invalid_regular_expression then
        return upper(left(sqlerrm, 1)) || substr(sqlerrm, 2) || '.';
end
$$;
comment on function internal.regex_fault(text) is
'What is wrong with a regular expression for labels; null for a good one. The time that it takes is
measured with values as long as they can be; the best of a few attempts counts.';
