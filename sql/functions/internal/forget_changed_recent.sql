create or replace function internal.forget_changed_recent(p_begins timestamptz) returns bigint[]
language plpgsql
as $$
declare
    v_late bigint [];
    v_changed bigint [];
begin
    -- In one statement with the threshold: a refresh that begins after it finds the samples of these
    -- entries, and one that has begun needs them.
    select
        array_agg(late_hour_id),
        array_agg(distinct kind_id)
    into v_late, v_changed
    from data.late_hour
    where bucket >= greatest(p_begins, internal.refresh_threshold());
    delete from data.recent_hour where kind_id = any(v_changed);
    delete from data.late_hour where late_hour_id = any(v_late);
    return v_changed;
end
$$;
comment on function internal.forget_changed_recent(timestamptz) is
'Deletes the recent hours of kinds that have got older samples since p_begins, and what notes them, and
returns these kinds, null for none. The next run makes them again, unless they get older samples all the time.';
