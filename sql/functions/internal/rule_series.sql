create or replace function internal.rule_series(p_kinds bigint[], p_where jsonb) returns bigint[]
language sql stable
begin atomic
    select
        case
            when p_where ?| '{source,labels,has}' then
                array(
                    select series.series_id
                    from data.series
                    inner join data.source on series.source_id = source.source_id
                    where
                        series.kind_id = any(p_kinds)
                        and (not p_where ? 'source' or source.name = p_where ->> 'source')
                        and series.labels @> coalesce(p_where -> 'labels', '{}')
                        and series.labels ?& array(select jsonb_array_elements_text(p_where -> 'has'))
                )
        end;
end;
comment on function internal.rule_series(bigint[], jsonb) is
'The series of kinds that a rule is about, by its where {source, labels, has}; null for all of them.';
