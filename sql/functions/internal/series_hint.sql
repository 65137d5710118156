create or replace function internal.series_hint(
    p_kind bigint, p_series bigint[], p_source text, p_labels jsonb
)
returns text
language sql stable
begin atomic
    with series as (
        select series.labels
        from data.series
        inner join data.source on series.source_id = source.source_id
        where series.kind_id = p_kind and source.name = coalesce(p_source, source.name)
        -- Bounds the time of the comparison.
        limit 10000 -- noqa: AM09
    ),

    known as (
        select
            member.key as name,
            array_agg(distinct member.value order by member.value) as contents
        from series
        cross join jsonb_each_text(series.labels) as member
        group by member.key
    ),

    names as (
        select coalesce(array_agg(name order by name), '{}') as list
        from known
    ),

    fault as (
        select
            given.key as name,
            case
                when known.name is null
                    then internal.unknown_label_hint(given.key, names.list)
                else
                    'No series has the value "' || left(given.value, 100) || '" of the label "'
                    || known.name || '". '
                    || internal.suggestion(internal.nearest_name(given.value, known.contents, 0.25))
                    || 'The values are ' || internal.name_list(known.contents) || '.'
            end as detail
        from names
        cross join jsonb_each_text(p_labels) as given
        left join known on given.key = known.name
        where given.value = any(known.contents) is not true
    )

    select
        case
            when p_series <> '{}'
                then
                    'The series that match have no samples in this range. '
                    || 'Send an earlier from or a later to.'
            when not exists (select from series)
                then (
                    select internal.source_hint(kind.name)
                    from data.kind
                    where kind.kind_id = p_kind
                )
            else coalesce(
                (select string_agg(detail, ' ' order by name) from fault),
                'No series has all of these labels. Leave out one of them.'
            )
        end;
end;
comment on function internal.series_hint(bigint, bigint[], text, jsonb) is
'What to ask instead where a kind has no points for p_source and p_labels, which p_series match: the nearest
known name and value of each label that no series has.';
