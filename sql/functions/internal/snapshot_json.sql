create or replace function internal.snapshot_json(p_snapshot data.snapshot) returns json
language sql stable
begin atomic
    select json_build_object(
        'name', p_snapshot.name,
        'window', p_snapshot.window_name,
        'from', p_snapshot.begins_at,
        'to', p_snapshot.ends_at,
        'kinds', p_snapshot.kinds,
        'bytes', octet_length(p_snapshot.content),
        'sha256', encode(p_snapshot.sha256, 'hex'),
        'author', p_snapshot.author,
        'created_at', p_snapshot.created_at
    );
end;
comment on function internal.snapshot_json(data.snapshot) is 'A snapshot without its content.';
