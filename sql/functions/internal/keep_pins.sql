create or replace procedure internal.keep_pins(p_job_id integer, p_config jsonb)
language plpgsql
as $$
begin
    perform internal.freeze_pinned(now());
end
$$;
comment on procedure internal.keep_pins (integer, jsonb) is
'Job: keeps retention from dropping what is pinned; see internal.freeze_pinned.';
