create or replace function internal.read_body(p_body json) returns jsonb
language plpgsql immutable
as $$
declare
    -- First: this names what jsonb cannot hold.
    v_body constant jsonb := p_body;
begin
    if p_body is not json with unique keys then
        raise exception 'an object of the body contains a key more than once'
            using errcode = 'SV400', constraint = 'json_keys_repeated', hint = 'Send every key once.';
    end if;
    return v_body;
end
$$;
comment on function internal.read_body(json) is
'A request body as jsonb, which would keep the last of equal keys.
Errors: json_keys_repeated.';
