create or replace function api.record_agg(p_answer json) returns integer
language sql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    with computed as (
        select
            kind.kind_id,
            member.answer ->> 'window' as window_name,
            (member.answer ->> 'computed_at')::timestamptz as computed_at,
            member.answer
        from
            json_array_elements(
                coalesce(p_answer -> 'kinds', json_build_array(p_answer))
            ) as member (answer)
        inner join data.kind on member.answer ->> 'kind' = kind.name
    ),

    stored as (
        insert into data.aggregate (kind_id, window_name, minute, computed_at, answer)
        select
            computed.kind_id,
            computed.window_name,
            -- The next minute takes the last answer of this one, so that the first one is kept.
            case
                when newest.minute >= date_trunc('minute', computed.computed_at, 'UTC')
                    then date_trunc('minute', computed.computed_at, 'UTC') + interval '1 minute'
                else date_trunc('minute', computed.computed_at, 'UTC')
            end,
            computed.computed_at,
            computed.answer
        from computed
        left join lateral (
            select
                aggregate.minute,
                aggregate.answer
            from data.aggregate
            where
                aggregate.kind_id = computed.kind_id
                and aggregate.window_name = computed.window_name
                and aggregate.minute <= computed.computed_at + interval '1 minute'
                and aggregate.computed_at <= computed.computed_at
            order by aggregate.minute desc
            limit 1
        ) as newest on true
        where
            newest.answer is null
            or internal.statistics_of(newest.answer) <> internal.statistics_of(computed.answer)
        -- Two answers about the same kinds wait for each other in one order.
        order by computed.kind_id, computed.window_name
        on conflict (kind_id, window_name, minute) do update
            set
                computed_at = excluded.computed_at,
                answer = excluded.answer
            where aggregate.computed_at <= excluded.computed_at
        returning 1
    )

    select count(*)::integer from stored;
end;
comment on function api.record_agg(json) is
'Stores an answer of query_agg, of one kind or of every kind, without filters and fields, as a snapshot
for p_as_of: at most one row per kind, window and minute, and only where the statistics differ from the
newest row. Of a series of changes, the first answer and the last one of each minute are kept. Returns the
number of rows stored.';
