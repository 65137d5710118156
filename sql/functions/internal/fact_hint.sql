create or replace function internal.fact_hint(p_kind text, p_source text) returns text
language sql stable
begin atomic
    select
        case
            when kind.type <> 'fact'
                then
                    'The kind is a ' || kind.type
                    || ', not one of facts. query_metrics (GET /query/metrics) lists its points.'
            when
                not exists (
                    select
                    from data.series
                    inner join data.source on series.source_id = source.source_id
                    where series.kind_id = kind.kind_id and source.name = p_source
                )
                then internal.source_hint(kind.name)
        end
    from data.kind
    where kind.name = p_kind and (kind.type <> 'fact' or p_source is not null);
end;
comment on function internal.fact_hint(text, text) is
'What to ask where a kind has no facts, or none of a source; null where there may be some.';
