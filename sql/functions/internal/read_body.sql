create or replace function internal.read_body(p_body json) returns jsonb
language plpgsql immutable
as $$
begin
    if p_body is not json with unique keys then
        raise exception 'an object of the body contains a key more than once'
            using errcode = 'SV400', constraint = 'json_keys_repeated', hint = 'Send every key once.';
    end if;
    return p_body::jsonb;
end
$$;
comment on function internal.read_body(json) is
'A request body as jsonb, which would keep the last of equal keys.
Errors: json_keys_repeated.';
