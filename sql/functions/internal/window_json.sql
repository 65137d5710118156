create or replace function internal.window_json(p_window data.maintenance) returns json
language sql stable
begin atomic
    select json_build_object(
        'id', p_window.maintenance_id,
        'from', lower(p_window.during),
        'to', upper(p_window.during),
        'author', p_window.author,
        'reason', p_window.reason
    );
end;
comment on function internal.window_json(data.maintenance) is
'A maintenance window as the health of a server shows it.';
