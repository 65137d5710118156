create or replace function internal.check_quotas(p_series jsonb, p_now timestamptz) returns void
language plpgsql
as $$
declare
    v_exceeded record;
    -- What there is in all of them is nothing that one may know of the others.
    v_is_shared constant boolean := exists (
        select from data.every_kind where namespace <> internal.namespace()
    );
begin
    with new as materialized (
        select
            sent.name,
            sent.source,
            kind.kind_id,
            source.source_id
        from jsonb_to_recordset(p_series) as sent (name text, source text, labels jsonb)
        left join data.kind on sent.name = kind.name
        left join data.source on sent.source = source.name
        left join data.series
            on
                md5(kind.kind_id::text || '/' || source.source_id::text || sent.labels::text)::uuid
                = series.series_key
        where series.series_id is null
    ),
    addition as (
        select
            'kinds' as quota,
            'kinds' as noun,
            null::text as source,
            count(distinct name) filter (where kind_id is null) as n,
            0::bigint as present
        from new
        union all
        select 'sources', 'sources', null, count(distinct source) filter (where source_id is null), 0
        from new
        union all
        select 'series', 'series', null, count(*), 0
        from new
        union all
        select
            'new_series_per_hour', 'new series per hour', null, count(*),
            (
                select count(*) from data.series
                where series.created_at > p_now - interval '1 hour'
            )
        from new
        union all
        select
            'new_series_per_source_and_hour', 'new series per hour of source "' || new.source || '"',
            new.source, count(*),
            (
                select count(*) from data.series
                where
                    series.source_id = new.source_id
                    and series.created_at > p_now - interval '1 hour'
            )
        from new
        group by new.source, new.source_id
    )
    select
        addition.quota,
        addition.noun,
        addition.source,
        addition.n,
        quota.value as allowed,
        coalesce(quota.used, addition.present) as present
    into v_exceeded
    from addition
    inner join data.quota on addition.quota = quota.name
    where addition.n > 0 and coalesce(quota.used, addition.present) + addition.n > quota.value
    order by addition.quota, addition.source
    limit 1;
    if found then
        raise exception 'the batch would add % %; the quota is %',
            case
                when v_is_shared and v_exceeded.source is null then v_exceeded.n::text
                else format('%s to %s', v_exceeded.n, v_exceeded.present)
            end,
            v_exceeded.noun, v_exceeded.allowed
            using errcode = 'SV429', constraint = 'series_within_quota',
            detail = jsonb_strip_nulls(jsonb_build_object(
                'quota', v_exceeded.quota,
                'source', v_exceeded.source,
                'allowed', v_exceeded.allowed,
                'present', case
                    when not v_is_shared or v_exceeded.source is not null then v_exceeded.present
                end,
                'added', v_exceeded.n,
                -- Of a total, time alone frees nothing.
                'retry_after_seconds', case when v_exceeded.quota like '%per%hour' then 3600 end
            )),
            hint = case v_exceeded.quota
                when 'kinds' then 'Put what varies into labels, not into names.'
                when 'sources' then 'Name sources after servers or agents, not after runs or requests.'
                when 'series' then 'Use fewer distinct label values (no ids, no timestamps).'
                else 'Use fewer distinct label values (no ids, no timestamps), or continue in an hour.'
            end
            || case
                when v_exceeded.quota like '%per%hour' then ''
                else ' The daily job prune_catalogue deletes what has no data.'
            end
            || format(
                ' A database administrator raises the quota: select ops.set_quota(%L, %s);',
                v_exceeded.quota, 2 * v_exceeded.allowed
            );
    end if;
end
$$;
comment on function internal.check_quotas(jsonb, timestamptz) is
'Refuses series, as register_series expects them, that would exceed a row of data.quota. Call it with
the quotas locked.
Errors: series_within_quota.';
