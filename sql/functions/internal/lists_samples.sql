create or replace function internal.lists_samples(p_body text) returns boolean
language sql immutable parallel safe
begin atomic
    select left(p_body, 1000) ~ '"(ts|value)"\s*:\s*\[';
end;
comment on function internal.lists_samples(text) is
'Whether a body of metrics, as JSON text, seems to begin with an item whose ts and value are arrays. Where
that is wrong, the body is not plain, and nothing else changes.';
