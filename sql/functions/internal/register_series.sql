create or replace function internal.register_series(p_series jsonb, p_now timestamptz)
returns void
language plpgsql
as $$
declare
    v_kinds bigint;
    v_sources bigint;
    v_series bigint;
begin
    perform internal.lock_quotas();
    -- Before anything is inserted: a refused batch uses up no numbers.
    perform internal.check_quotas(p_series, p_now);

    insert into data.kind (name, type, unit, created_at)
    select distinct
        new.name, new.type, new.unit, p_now
    from jsonb_to_recordset(p_series) as new (name text, type text, unit text)
    where not exists (select from data.kind where kind.name = new.name);
    get diagnostics v_kinds = row_count;

    update data.kind set unit = new.unit
    from (
        select distinct
            name,
            unit
        from jsonb_to_recordset(p_series) as sent (name text, unit text)
    ) as new
    where kind.name = new.name and kind.unit is null and new.unit is not null;

    insert into data.source (name, created_at)
    select distinct
        new.source, p_now
    from jsonb_to_recordset(p_series) as new (source text)
    where not exists (select from data.source where source.name = new.source);
    get diagnostics v_sources = row_count;

    insert into data.series (kind_id, source_id, labels, created_at)
    select
        kind.kind_id, source.source_id, new.labels, p_now
    from jsonb_to_recordset(p_series) as new (name text, source text, labels jsonb)
    inner join data.kind on new.name = kind.name
    inner join data.source on new.source = source.name
    where not exists (
        select from data.series
        where
            series.series_key
            = md5(kind.kind_id::text || '/' || source.source_id::text || new.labels::text)::uuid
    );
    get diagnostics v_series = row_count;

    update data.quota
    set used = used + case name when 'kinds' then v_kinds when 'sources' then v_sources else v_series end
    where name in ('kinds', 'sources', 'series');
end
$$;
comment on function internal.register_series(jsonb, timestamptz) is
'Registers kinds, sources, series and units that are not known yet, within the quotas. p_series is
[{name, source, labels, type, unit}], each of them once. Others that register wait until this
transaction ends.
Errors: series_within_quota.';
