create or replace function internal.server_labels(p_server text) returns jsonb[]
language plpgsql stable
as $$
declare
    v_id constant bigint := internal.find_server(p_server, 'server');
begin
    return (
        select
            array_remove(
                array[
                    jsonb_build_object('server', name),
                    case when source is not null then jsonb_build_object('source', source) end
                ],
                null
            )
        from data.server
        where server_id = v_id
    );
end
$$;
comment on function internal.server_labels(text) is
'Labels of which the alerts about a server have one: its name, and its source.
Errors: server_unknown.';
