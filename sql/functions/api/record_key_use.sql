create or replace function api.record_key_use(p_uses jsonb) returns integer
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_recorded integer;
begin
    insert into data.api_key_use as known (key_id, used_at)
    select
        sent.id,
        max(sent.used_at)
    from jsonb_to_recordset(p_uses) as sent (id text, used_at timestamptz)
    inner join data.api_key on api_key.key_id = sent.id
    group by sent.id
    -- Processes that record the same keys lock them in the same order.
    order by sent.id
    on conflict (key_id) do update
        set used_at = excluded.used_at
        where excluded.used_at >= known.used_at + interval '1 minute';
    get diagnostics v_recorded = row_count;
    return v_recorded;
end
$$;
comment on function api.record_key_use(jsonb) is
'Notes when keys were used last: [{id, used_at}, ...]. A use within a minute of the one that is noted changes
nothing, also where several processes record it. Returns how many were noted.';
