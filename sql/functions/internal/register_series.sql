create or replace function internal.register_series(p_series jsonb, p_now timestamptz)
returns void
language plpgsql
as $$
declare
    v_exceeded record;
begin
    -- Ordered, so that two requests that register the same names cannot deadlock.
    insert into data.kind (name, type, unit, created_at)
    select distinct on (new.name)
        new.name, new.type, new.unit, p_now
    from jsonb_to_recordset(p_series) as new (place integer, name text, type text, unit text)
    where not exists (select from data.kind where kind.name = new.name)
    order by new.name, new.place
    on conflict (name) do nothing;

    insert into data.source (name, created_at)
    select distinct new.source, p_now
    from jsonb_to_recordset(p_series) as new (source text)
    where not exists (select from data.source where source.name = new.source)
    order by new.source
    on conflict (name) do nothing;

    insert into data.series (kind_id, source_id, labels, created_at)
    select distinct kind.kind_id, source.source_id, new.labels, p_now
    from jsonb_to_recordset(p_series) as new (name text, source text, labels jsonb)
    inner join data.kind on new.name = kind.name
    inner join data.source on new.source = source.name
    order by kind.kind_id, source.source_id, new.labels
    on conflict (series_key) do nothing;

    select
        source.name as source,
        quota.value as allowed,
        count(*) as added
    into v_exceeded
    from data.series
    inner join data.source using (source_id)
    inner join data.quota on quota.name = 'new_series_per_source_and_hour'
    where source.name in (
        select new.source from jsonb_to_recordset(p_series) as new (source text)
    )
    and series.created_at > p_now - interval '1 hour'
    group by source.name, quota.value
    having count(*) > quota.value
    limit 1;
    if found then
        raise exception 'source "%" exceeds % new series per hour', v_exceeded.source, v_exceeded.allowed
            using errcode = 'SV429', constraint = 'series_within_quota',
            hint = 'Use fewer distinct label values (no ids, no timestamps), or continue in an hour.';
    end if;
end
$$;
comment on function internal.register_series(jsonb, timestamptz) is
'Registers kinds, sources and series that are not known yet, within the quota of new series.
Errors: series_within_quota.';
