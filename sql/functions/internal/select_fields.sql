create or replace function internal.select_fields(p_answer json, p_fields text[]) returns json
language sql immutable parallel safe
begin atomic
    with wanted as (
        select
            -- previous, change and groups contain the named statistics, or all when none is named.
            not p_fields && '{count,sum,avg,min,max,stddev,last,p50,p90,p95,p99,rate_per_second}'::text[]
                as all_statistics,
            p_fields || '{group,from,to}'::text[] as statistics,
            p_fields || '{kind,type,unit,window,from,to,computed_at}'::text[] as fields
    )

    select case when p_fields is null then p_answer else (
        select
            json_object_agg(
                member.key,
                case
                    when wanted.all_statistics or member.key not in ('previous', 'change', 'groups')
                        then member.value
                    when member.key = 'groups'
                        then (
                            select coalesce(json_agg(internal.pick_json(element, wanted.statistics)), '[]')
                            from json_array_elements(member.value) as element
                        )
                    else internal.pick_json(member.value, wanted.statistics)
                end
            )
        from wanted
        cross join json_each(p_answer) as member
        where member.key = any(wanted.fields)
    ) end;
end;
comment on function internal.select_fields(json, text[]) is
'An answer of query_agg with the named fields only; null means all.
It always has kind, type, unit, window, from, to and computed_at.';
