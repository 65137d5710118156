create or replace function internal.count_groups(p_condition jsonb) returns bigint
language sql stable
begin atomic
    with named as (
        select coalesce(p_condition -> 'during', p_condition) as condition
    ),

    part as materialized (
        select
            condition ->> 'group_by' as label,
            kind.kind_id,
            internal.rule_series(array[kind.kind_id], condition -> 'where') as series
        from named
        inner join data.kind on condition ->> 'kind' = kind.name
    )

    select
        case
            when p_condition ->> 'type' in ('health', 'keepalive') or not p_condition ? 'kind'
                then cardinality(internal.rule_servers(p_condition))
            else (
                select
                    count(
                        distinct case
                            when part.label = 'source' then series.source_id::text
                            when part.label is not null
                                then coalesce(series.labels ->> substr(part.label, length('label.') + 1), '')
                            else ''
                        end
                    )
                from part
                inner join data.series on part.kind_id = series.kind_id
                where part.series is null or series.series_id = any(part.series)
            )
        end;
end;
comment on function internal.count_groups(jsonb) is
'How many groups a condition may have: servers, or values of what it groups by, of all times. Of facts, which
are joined by what they are about, at least one.';
