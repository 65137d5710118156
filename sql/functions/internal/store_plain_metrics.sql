create or replace function internal.store_plain_metrics(
    p_body json,
    p_series bigint[],
    p_kinds bigint[],
    p_counters boolean[],
    p_instants timestamptz[],
    p_readings double precision[],
    p_places integer[],
    p_histograms data.histogram[],
    p_now timestamptz
)
returns json
language plpgsql
as $$
declare
    v_store constant record := internal.store_samples(
        p_series, p_kinds, p_counters, p_instants, p_readings, p_places, p_histograms, p_now
    );
    v_conflicts integer := 0;
begin
    -- Duplicates too: the acknowledgement of what stored them may have been lost.
    insert into data.kind_change (kind_id)
    select distinct kind_id from unnest(p_kinds) as kind_id;

    if v_store.different is not null then
        v_conflicts := internal.keep_metric_conflicts(
            internal.pick_items(p_body, v_store.different), p_now
        );
    end if;
    return internal.receipt_json(
        array_length(p_places, 1), v_store.accepted, v_conflicts, v_store.late, 0, null
    );
end
$$;
comment on function internal.store_plain_metrics(
    json,
    bigint[],
    bigint[],
    boolean[],
    timestamptz[],
    double precision[],
    integer[],
    data.histogram[],
    timestamptz
) is
'Stores a body as read_plain_metrics read it; the answer that api.ingest_metrics returns.';
