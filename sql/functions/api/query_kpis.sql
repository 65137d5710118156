create or replace function api.query_kpis(p_window text, p_name text, p_now timestamptz)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_sources constant integer := 5;
    c_sources_of_one constant integer := 100;
    v_range constant record := internal.comparison_range(p_window, p_now);
    v_named constant bigint := case when p_name is not null then internal.find_kpi(p_name) end;
    v_kpis constant bigint [] := array(
        select kpi_id from data.kpi
        where deleted_at is null and (v_named is null or kpi_id = v_named)
    );
    v_items json;
begin
    if v_named is not null and v_kpis = '{}' then
        raise exception 'the KPI "%" is deleted', p_name
            using errcode = 'SV404', constraint = 'kpi_unknown', column = 'name',
            hint = 'define_kpi (PUT /kpis/{name}) restores it; list_kpis (GET /kpis) lists all KPIs.';
    end if;
    with part as materialized (
        select
            member.kpi_id,
            array_agg(row(member.*)::data.kpi_part) as parts
        from internal.measure_kpis(
            v_kpis, v_range.begins, v_range.ends, extract(epoch from p_now - v_range.begins)::double precision
        ) as member
        group by member.kpi_id
    ),

    former as materialized (
        select
            member.kpi_id,
            array_agg(row(member.*)::data.kpi_part) as parts
        from internal.measure_kpis(
            v_kpis, v_range.former, v_range.begins,
            extract(epoch from v_range.begins - v_range.former)::double precision
        ) as member
        group by member.kpi_id
    ),

    figure as (
        select
            kpi.name,
            version.version,
            version.document,
            part.parts,
            former.parts as former_parts,
            internal.kpi_figures(version.document, part.parts) as present,
            internal.kpi_figures(version.document, former.parts) as previous,
            case when v_named is not null then (
                select array_agg(row(member.*)::data.kpi_part)
                from internal.measure_kpi_days(
                    v_kpis, time_bucket(interval '24 hours', v_range.begins), v_range.ends
                ) as member
            ) end as days
        from data.kpi
        inner join data.kpi_version as version on kpi.kpi_id = version.kpi_id and upper_inf(version.valid)
        left join part on kpi.kpi_id = part.kpi_id
        left join former on kpi.kpi_id = former.kpi_id
        where kpi.kpi_id = any(v_kpis)
    )

    select
        json_agg(
            internal.join_json(
                json_build_object(
                    'name', name,
                    'version', version,
                    'description', document -> 'description',
                    'unit', document -> 'unit'
                ),
                present,
                json_build_object(
                    'previous', previous,
                    'change',
                    (present ->> 'value')::double precision - (previous ->> 'value')::double precision,
                    'target', document -> 'target',
                    'direction', document -> 'direction',
                    'status', internal.kpi_status(document, (present ->> 'value')::double precision),
                    'contributions', internal.kpi_contributions(
                        document, parts, former_parts,
                        case when v_named is null then c_sources else c_sources_of_one end
                    )
                ),
                case
                    when v_named is not null
                        then json_build_object('days', internal.kpi_days_json(document, days))
                    else '{}'
                end
            ) order by name
        )
    into v_items
    from figure;
    perform internal.check_chunks('{sample,sample_1h,kind_1h,sample_1d,kind_1d}');
    return json_build_object(
        'window', p_window,
        'from', v_range.begins,
        'to', p_now,
        'previous', json_build_object('from', v_range.former, 'to', v_range.begins),
        'items', coalesce(v_items, '[]'),
        'computed_at', p_now
    );
end
$$;
comment on function api.query_kpis(text, text, timestamptz) is
'The KPIs over a window that ends at p_now, by name: {window, from, to, previous: {from, to}, items: [{name,
version, description, unit, value, numerator, denominator, previous: {value, numerator, denominator}, change,
target, direction, status, contributions: [{source, value, numerator, denominator, previous, contribution}]}],
computed_at}. status is met, missed, no_target or no_data. contributions are those of the sources that moved
the KPI most, at most 5; those of all sources add up to change. p_name asks for one KPI: at most 100 sources,
and days [{day, value, numerator, denominator}], whole days UTC.
Errors: kpi_unknown, window_well_formed, window_within_retention.';
