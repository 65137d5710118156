create or replace function api.report_health(
    p_body jsonb, p_partial boolean, p_idempotency_key text, p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_items constant jsonb := internal.read_items(p_body);
    v_count constant integer := jsonb_array_length(v_items);
    v_answer json;
    v_reports data.health_report [];
    v_bad_items jsonb;
    v_bad integer;
    v_rejected jsonb;
    v_stored record;
begin
    if p_idempotency_key is not null then
        v_answer := (
            internal.claim_idempotency_key('report_health', p_idempotency_key, p_body, p_now)
        ).answer;
        if v_answer is not null then
            return v_answer;
        end if;
    end if;

    select
        coalesce(array_agg(report order by place) filter (where good), '{}'),
        jsonb_agg(jsonb_build_object('index', place, 'item', item) order by place) filter (where not good),
        count(*) filter (where not good)
    into v_reports, v_bad_items, v_bad
    -- Without offset 0 the planner computes good once for each of its uses.
    from (select * from internal.check_reports(v_items, p_now) offset 0) as checked;
    if v_bad > 0 then
        v_rejected := internal.explain_items(v_bad_items, p_now, 'report');
        if not p_partial then
            perform internal.refuse_items(v_rejected, v_bad, v_count);
        end if;
    end if;
    v_stored := internal.record_health(v_reports, p_now);
    v_answer := internal.receipt_json(
        v_count, v_stored.accepted, 0, v_stored.late, v_bad, v_rejected
    );
    if p_idempotency_key is not null then
        perform internal.complete_idempotency_key('report_health', p_idempotency_key, v_answer, null);
    end if;
    return v_answer;
end
$$;
comment on function api.report_health(jsonb, boolean, text, timestamptz) is
'Stores one report of health or an array of at most 10000, of the signal report: all or none; with
p_partial the good ones. Answer: {accepted, duplicate, conflict, late, rejected}, as of ingest_facts;
conflict is 0: another report of the same reporter at the same time is one more report. late counts
those that came after a newer one: they are stored and move nothing.
Errors: body_is_items, batch_within_limit, items_refused, source_of_key, idempotency_key_reused.';
