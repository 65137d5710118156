create or replace function internal.matchers_path(p_matchers jsonb) returns jsonpath
language sql immutable parallel safe
begin atomic
    -- A path is compiled once, and matches labels within one operator: much faster than a query of
    -- the matchers for each set of labels. What is cheap comes first.
    select
        coalesce(
            string_agg(
                case when matcher.operator like '!%' then '!(' else '(' end
                || '$.' || to_json(matcher.name) || case
                    when matcher.operator like '%~'
                        then ' like_regex ' || to_json(matcher.regex) || ' flag "s"'
                    else ' == ' || to_json(matcher.value)
                end
                || case
                    when matcher.fits_empty then ' || !exists($.' || to_json(matcher.name) || ')'
                    else ''
                end
                || ')',
                ' && ' order by matcher.operator like '%~'
            ),
            '1 == 1'
        )::jsonpath
    from (
        select
            sent.name,
            sent.operator,
            sent.value,
            '^(?:' || sent.value || ')$' as regex,
            case
                when sent.operator like '%~' then '' ~ ('^(?:' || sent.value || ')$')
                else sent.value = ''
            end as fits_empty
        from jsonb_to_recordset(p_matchers) as sent (name text, operator text, value text)
    ) as matcher;
end;
comment on function internal.matchers_path(jsonb) is
'Matchers [{name, operator, value}] as a path, for labels @@ path: whether labels match all of them.
Operators are =, !=, =~ and !~; a regular expression matches the whole value; a label that is missing
has the value ''''.';
