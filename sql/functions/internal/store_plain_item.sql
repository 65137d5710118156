create or replace function internal.store_plain_item(
    p_body json, p_now timestamptz, out answer json, out kinds text[]
)
language plpgsql
-- A plan that is kept sees the catalogue grow: only probes of indexes stay fast.
set enable_seqscan = off
as $$
declare
    v_sources constant text [] := internal.bound_sources();
    v_item record;
begin
    select * into v_item from internal.read_plain_item(p_body, p_now, v_sources);
    if v_item.plain then
        insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
        values (v_item.series_id, v_item.kind_id, v_item.ts, 0, v_item.value, 1, v_item.counter);
        -- Only where somebody has refreshed what is so new.
        if v_item.ts < internal.late_before(p_now) then
            raise exception 'the sample is late' using errcode = 'SV000';
        end if;
        insert into data.kind_change (kind_id) values (v_item.kind_id);
        answer := internal.receipt_json(1, 1, 0, 0, 0, null);
        kinds := array[v_item.kind_name];
    end if;
exception
    -- What is stored by then is not.
    when unique_violation or data_exception or sqlstate 'SV000' then
        answer := null;
end
$$;
comment on function internal.store_plain_item(json, timestamptz) is
'Stores what read_plain_item finds plain, unless it is stored already or late. answer and kinds are those of
api.ingest_metrics; answer is null where nothing was stored.';
