create or replace function api.query_changes(p_window text, p_kind text, p_limit integer, p_now timestamptz)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    c_groups constant integer := 5;
    v_limit constant integer := internal.read_limit(p_limit, 10, 100, false);
    v_kinds constant bigint [] := internal.find_kinds(p_kind);
    v_range constant record := internal.comparison_range(p_window, p_now);
    v_items json;
begin
    with change as materialized (
        select
            measured.*,
            row_number() over (
                partition by measured.kind_id, measured.statistic
                -- Of equal ones, the whole says most.
                order by abs(measured.score) desc nulls last, measured.dimension, measured.member
            ) as rank_in_kind,
            row_number() over (
                partition by measured.kind_id, measured.statistic, measured.dimension = 'source'
                order by
                    measured.dimension = '',
                    abs(measured.contribution) desc nulls last,
                    measured.dimension,
                    measured.member
            ) as rank_of_group
        from internal.group_changes(v_kinds, p_window, p_now) as measured
    ),

    ranked as (
        select
            first_one.*,
            row_number() over (
                order by abs(first_one.score) desc, kind.name, first_one.statistic
            ) as place,
            kind.name,
            kind.type,
            kind.unit
        from change as first_one
        inner join data.kind on first_one.kind_id = kind.kind_id
        where first_one.rank_in_kind = 1 and first_one.score <> 0
    ),

    chosen as (
        select
            ranked.*,
            (
                select
                    json_agg(
                        json_build_object(
                            'group', json_build_object(part.dimension, part.member),
                            'value', part.value,
                            'previous', part.previous,
                            'contribution', part.contribution
                        ) order by part.dimension <> 'source', part.rank_of_group
                    )
                from change as part
                where
                    part.kind_id = ranked.kind_id
                    and part.statistic = ranked.statistic
                    and part.dimension <> ''
                    and part.contribution <> 0
                    and part.rank_of_group <= c_groups
            ) as contributions
        from ranked
        where ranked.place <= v_limit
    )

    select
        json_agg(
            json_build_object(
                'kind', name,
                'type', type,
                'unit', unit,
                'statistic', statistic,
                'group', case
                    when dimension = '' then '{}'
                    else json_build_object(dimension, member)
                end,
                'value', value,
                'previous', previous,
                'change', value - previous,
                'usual', json_build_object('median', median, 'mad', mad, 'windows', windows),
                'score', score,
                'whole', json_build_object(
                    'value', whole_value, 'previous', whole_previous, 'change', whole_value - whole_previous
                ),
                'contributions', coalesce(contributions, '[]')
            ) order by place
        )
    into v_items
    from chosen;
    perform internal.check_chunks('{sample,sample_1h,sample_1d}');
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
comment on function api.query_changes(text, text, integer, timestamptz) is
'What changed most in a window that ends at p_now: {window, from, to, previous: {from, to}, items: [{kind,
type, unit, statistic, group, value, previous, change, usual: {median, mad, windows}, score, whole: {value,
previous, change}, contributions: [{group, value, previous, contribution}]}], computed_at}. An item is a
statistic of a kind (count; avg of gauges and histograms, sum of facts, increase of counters) in the group
that is furthest from usual: {} for the whole kind, {"source": ...} or {"label.<name>": ...}. usual is the
median and the median absolute deviation of up to 8 windows before; score is the distance from the median in
units of the usual variation, see internal.change_score. contributions are the sources and the labels that
moved the whole most, at most 5 of each; those of all sources add up to the change of the whole. p_kind asks
about one kind; p_limit is 10 by default, at most 100.
Errors: kind_unknown, window_well_formed, window_within_retention, limit_in_range.';
