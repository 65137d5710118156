create or replace function internal.regex_fault(p_regex text) returns text
language plpgsql
as $$
declare
    c_longest constant interval := '10 milliseconds';
    c_attempts constant integer := 3;
    c_repetitions constant integer := 10;
    c_longest_text constant integer := 500;
    c_comment constant text := '[(][?]#';
    -- At the beginning, as PostgreSQL has them, or of a group, as RE2 does.
    c_options constant text := '[(][?][a-zA-Z-]+[:)]';
    -- A group (?=, (?!, (?<= or (?<!, outside of brackets and escapes.
    c_lookaround constant text := '[(][?]<?[=!]';
    v_bare constant text := regexp_replace(
        regexp_replace(p_regex, '\\.', 'x', 'g'), '\[\^?\]?(\[[:.=][^]]*\]|[^]])*\]', 'x', 'g'
    );
    -- As long as a value can be, of characters that the expression has.
    v_text constant text := left(
        repeat(regexp_replace(p_regex, '\W', '', 'g') || 'a', 500), 500 - length(c_repetitions::text)
    );
    v_length constant double precision := internal.regex_length(v_bare);
    v_began timestamptz;
begin
    -- A comment could hide where a group ends, and so what is repeated.
    if v_bare ~ c_comment then
        return 'It has a comment. Send an expression without (?#.';
    end if;
    if v_bare ~ c_options then
        return 'It has options, which are not supported. Send an expression without (?i) and the like, '
        || 'such as [Ww]eb for web and Web.';
    end if;
    -- Compiling a long one takes minutes or exhausts the stack, and cannot be canceled everywhere.
    if v_length > c_longest_text then
        return format(
            'It has %s characters when its repetitions are written out. Send one with at most %s.',
            case when v_length < 1e9 then round(v_length)::text else 'over a billion' end, c_longest_text
        );
    end if;
    -- Without a group around it, which its parentheses could end; what is before it prevents options.
    perform '' ~ ('(?:)' || p_regex);
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
