create or replace function internal.rule_facts(
    p_kind text, p_join text, p_from timestamptz, p_to timestamptz
)
returns table (label text, ts timestamptz)
language sql stable
begin atomic
    select
        case p_join
            when 'subject' then fact.subject
            when 'none' then ''
            else source.name
        end,
        fact.ts
    from data.kind
    inner join data.series on kind.kind_id = series.kind_id
    inner join data.source on series.source_id = source.source_id
    inner join data.fact on series.series_id = fact.series_id
    where kind.name = p_kind and fact.ts > p_from and fact.ts <= p_to;
end;
comment on function internal.rule_facts(text, text, timestamptz, timestamptz) is
'The facts of a kind in (p_from, p_to], with what a rule joins them by: their source, their subject (null
for a fact without one), or nothing.';
