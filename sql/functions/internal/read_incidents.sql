create or replace function internal.read_incidents(
    p_incidents jsonb, p_kind text, p_from timestamptz, p_to timestamptz
)
returns jsonb
language plpgsql stable
as $$
declare
    v_faults constant jsonb := (
        select jsonb_agg(to_jsonb(fault) || jsonb_build_object('field', 'incidents' || fault.field))
        from internal.schema_faults(p_incidents, internal.incidents_schema()) as fault
        where p_incidents is not null
    );
begin
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    if p_kind is null then
        return p_incidents;
    end if;
    return coalesce(p_incidents, '[]') || coalesce((
        select jsonb_agg(jsonb_build_object('from', fact.ts, 'to', period.ends_at) order by fact.ts)
        from data.series
        inner join data.fact on series.series_id = fact.series_id
        cross join lateral (
            select
                case
                    when jsonb_typeof(fact.payload -> 'duration_seconds') = 'number'
                        then fact.ts + (fact.payload ->> 'duration_seconds')::double precision * interval '1 s'
                    else fact.ts
                end as ends_at
        ) as period
        where
            series.kind_id = any(internal.find_kinds(p_kind))
            and fact.ts < p_to
            and period.ends_at >= p_from
    ), '[]');
end
$$;
comment on function internal.read_incidents(jsonb, text, timestamptz, timestamptz) is
'Incidents [{from, to}]: those that were sent, and the facts of a kind, which begin at their ts and last
for duration_seconds of their payload.
Errors: document_refused, kind_unknown.';
