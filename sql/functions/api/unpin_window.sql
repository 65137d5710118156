create or replace function api.unpin_window(p_id bigint, p_now timestamptz) returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_pin data.pin;
begin
    delete from data.pin
    where pin_id = p_id
    returning * into v_pin;
    if not found then
        raise exception 'unknown pin %', p_id
            using errcode = 'SV404', constraint = 'pin_unknown', column = 'id',
            hint = 'list_pins (GET /admin/pins) lists the pins.';
    end if;
    perform internal.freeze_pinned(p_now);
    return internal.pin_json(v_pin);
end
$$;
comment on function api.unpin_window(bigint, timestamptz) is
'Removes a pin: the next run of retention drops what has expired and no other pin keeps. Returns the pin that
was.
Errors: pin_unknown.';
