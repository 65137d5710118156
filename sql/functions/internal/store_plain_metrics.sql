create or replace function internal.store_plain_metrics(
    p_body json,
    p_series bigint[],
    p_kinds bigint[],
    p_counters boolean[],
    p_instants timestamptz[],
    p_readings double precision[],
    p_places integer[],
    p_now timestamptz
)
returns json
language plpgsql
as $$
declare
    v_count constant integer := array_length(p_places, 1);
    v_store constant record := internal.store_samples(
        p_series, p_kinds, p_counters, p_instants, p_readings, p_now
    );
    v_conflicts integer := 0;
    v_different integer[];
begin
    if v_store.accepted < v_count then
        v_different := internal.find_conflicts(p_series, p_instants, p_readings, p_places);
    end if;
    if v_different is not null then
        v_conflicts := internal.keep_metric_conflicts(internal.pick_items(p_body, v_different), p_now);
    end if;
    return internal.receipt_json(v_count, v_store.accepted, v_conflicts, v_store.late, 0, null);
end
$$;
comment on function internal.store_plain_metrics(
    json, bigint[], bigint[], boolean[], timestamptz[], double precision[], integer[], timestamptz
) is
'Stores a body as read_plain_metrics read it; the answer that api.ingest_metrics returns.';
