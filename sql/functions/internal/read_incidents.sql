create or replace function internal.read_incidents(
    p_incidents jsonb, p_kind text, p_from timestamptz, p_to timestamptz
)
returns jsonb
language plpgsql stable
as $$
declare
    v_faults jsonb;
    v_kinds bigint [];
    v_incidents jsonb;
begin
    select jsonb_agg(to_jsonb(fault) || jsonb_build_object('field', 'incidents' || fault.field))
    into v_faults
    from (
        select * from internal.schema_faults(p_incidents, internal.incidents_schema())
        union all
        select
            format('[%s].to', sent.place - 1),
            case when sent.is_real then 'from_before_to' else 'field_well_formed' end,
            case
                when sent.is_real then 'The incident ends before it begins. Send a later time.'
                else 'The incident has a time that does not exist. Send an RFC 3339 timestamp.'
            end
        from (
            select
                entry.item,
                entry.place,
                pg_input_is_valid(entry.item ->> 'from', 'timestamptz')
                and pg_input_is_valid(entry.item ->> 'to', 'timestamptz') as is_real
            from jsonb_array_elements(
                case when jsonb_typeof(p_incidents) = 'array' then p_incidents end
            ) with ordinality as entry (item, place)
            offset 0 -- noqa: AM09
        ) as sent
        where
            -- Only times that exist can be compared.
            case
                when sent.is_real
                    then (sent.item ->> 'from')::timestamptz > (sent.item ->> 'to')::timestamptz
                else true
            end
    ) as fault
    where p_incidents is not null;
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    if p_kind is null then
        v_incidents := p_incidents;
    else
        v_kinds := internal.find_kinds(p_kind);
        v_incidents := coalesce(p_incidents, '[]') || coalesce((
            select jsonb_agg(jsonb_build_object(
                'from', fact.ts,
                'to', fact.ts + interval '1 second' * case
                    when jsonb_typeof(fact.payload -> 'duration_seconds') = 'number'
                        then least(1e9, greatest(0, (fact.payload ->> 'duration_seconds')::numeric))
                    else 0
                end::double precision
            ) order by fact.ts)
            from data.series
            inner join data.fact on series.series_id = fact.series_id
            where series.kind_id = any(v_kinds)
        ), '[]');
    end if;
    if v_incidents is null then
        return null;
    end if;
    return (
        select
            jsonb_build_object(
                'inside', coalesce(jsonb_agg(sent.item order by sent.place) filter (where part.inside), '[]'),
                'outside', count(*) filter (where not part.inside)
            )
        from jsonb_array_elements(v_incidents) with ordinality as sent (item, place)
        cross join lateral (
            select
                (sent.item ->> 'from')::timestamptz < p_to
                and (sent.item ->> 'to')::timestamptz >= p_from as inside
        ) as part
    );
end
$$;
comment on function internal.read_incidents(jsonb, text, timestamptz, timestamptz) is
'Incidents {inside: [{from, to}], outside}: those that were sent, and the facts of a kind, which begin at
their ts and last for duration_seconds of their payload. outside counts those that do not touch [p_from,
p_to). Null where none were asked for.
Errors: document_refused, kind_unknown.';
