create or replace function internal.lists_samples(p_body text) returns boolean
language sql immutable parallel safe
begin atomic
    -- The beginning is enough: a body that looks otherwise is not plain.
    select left(p_body, 1000) ~ '"(ts|value)"\s*:\s*\[';
end;
comment on function internal.lists_samples(text) is
'Whether the first item of a body, as JSON text, seems to have arrays as ts and value.';
