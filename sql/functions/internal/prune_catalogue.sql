create or replace procedure internal.prune_catalogue(p_job_id integer, p_config jsonb)
language plpgsql
as $$
declare
    -- Bounds the time for which ingests wait.
    c_portion constant integer := 1000;
    v_before constant timestamptz := now() - (p_config ->> 'grace')::interval;
    v_last bigint := 0;
    v_portion bigint [];
    v_empty bigint [];
begin
    loop
        select
            array_agg(series_id),
            max(series_id)
        into v_portion, v_last
        from (
            select series_id
            from data.series
            where series_id > v_last
            order by series_id
            limit c_portion
        ) as portion;
        exit when v_portion is null;
        v_empty := internal.empty_series(v_portion, v_before);
        if v_empty <> '{}' then
            perform internal.wait_for_ingests();
            -- Again: an ingest may have stored samples since.
            v_empty := internal.empty_series(v_empty, v_before);
            delete from data.series where series_id = any(v_empty);
        end if;
        commit;
    end loop;

    perform internal.wait_for_ingests();
    -- Scalar subqueries: the planner cannot make joins of whole tables of them.
    delete from data.every_kind as kind
    where
        created_at < v_before
        and (select true from data.series where series.kind_id = kind.kind_id limit 1) is null
        and (select true from data.late_hour where late_hour.kind_id = kind.kind_id limit 1) is null
        and (select true from data.kind_1d where kind_1d.kind_id = kind.kind_id limit 1) is null;
    delete from data.every_source as source
    where
        created_at < v_before
        and (select true from data.series where series.source_id = source.source_id limit 1) is null
        and (
            select true from data.fact_identity
            where fact_identity.source_id = source.source_id
            limit 1
        ) is null;
    update data.quota
    set used = case quota.name
        when 'kinds' then (select count(*) from data.every_kind)
        when 'sources' then (select count(*) from data.every_source)
        else (select count(*) from data.series)
    end
    where quota.used is not null;
end
$$;
comment on procedure internal.prune_catalogue (integer, jsonb) is
'Job: deletes series without a sample, fact or rollup, and kinds and sources that are then without data,
when they are older than the grace in its config; counts again what exists for the quotas.';
