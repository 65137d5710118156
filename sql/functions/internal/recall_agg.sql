create or replace function internal.recall_agg(
    p_kinds bigint[],
    p_kind text,
    p_window text,
    p_source text,
    p_group_by text,
    p_fields text[],
    p_as_of timestamptz
)
returns json
language plpgsql stable
as $$
declare
    v_answers json [];
begin
    if p_source is not null or p_group_by is not null then
        raise exception 'as_of cannot be combined with source or group_by'
            using errcode = 'SV422', constraint = 'as_of_unfiltered', column = 'as_of',
            hint = 'Snapshots contain whole kinds without groups. Leave out source and group_by, or as_of.';
    end if;
    perform internal.read_window(p_window);
    v_answers := array(
        select internal.select_fields(known.answer, p_fields)
        from unnest(p_kinds) as asked (kind_id)
        cross join lateral (
            select aggregate.answer
            from data.aggregate
            where aggregate.kind_id = asked.kind_id
                and aggregate.window_name = p_window
                and aggregate.minute <= p_as_of + interval '1 minute'
                and aggregate.computed_at <= p_as_of
            order by aggregate.minute desc
            limit 1
        ) as known
        order by known.answer ->> 'kind'
    );
    if cardinality(v_answers) = 0 then
        raise exception 'no aggregate of window % was computed before %', p_window, p_as_of
            using errcode = 'SV404', constraint = 'aggregate_unknown', column = 'as_of',
            hint = 'Snapshots are stored hourly and when an answer has changed. Send a later as_of.';
    end if;
    return internal.present_agg(p_kind, p_window, v_answers, p_as_of);
end
$$;
comment on function internal.recall_agg(
    bigint[], text, text, text, text, text[], timestamptz
) is
'The newest snapshots of kinds and a window at or before p_as_of. Where the statistics had not changed
since, computed_at, to, the rates and freshness are those of the older answer.
Errors: as_of_unfiltered, window_well_formed, window_within_retention, aggregate_unknown.';
