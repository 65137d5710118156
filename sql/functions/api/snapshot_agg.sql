create or replace function api.snapshot_agg(p_kind text, p_window text, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
as $$
declare
    v_answers json [];
begin
    with computed as (
        select *
        from internal.answer_agg(internal.find_kinds(p_kind), null, p_window, null, null, p_now)
    ),
    kept as (
        insert into data.aggregate (kind_id, window_name, computed_at, answer)
        select kind_id, p_window, p_now, answer
        from computed
    )
    select coalesce(array_agg(answer order by answer ->> 'kind'), '{}') into v_answers
    from computed;
    return internal.present_agg(p_kind, p_window, v_answers, p_now);
end
$$;
comment on function api.snapshot_agg(text, text, timestamptz) is
'The answer of query_agg for a kind, or for every kind; it is also stored as a snapshot in data.aggregate.
Errors: kind_unknown, window_well_formed, window_within_retention.';
