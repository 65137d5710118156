create or replace function internal.matches(p_labels jsonb, p_matchers jsonb) returns boolean
language sql immutable parallel safe
begin atomic
    select coalesce(p_labels @@ internal.matchers_path(p_matchers), false);
end;
comment on function internal.matches(jsonb, jsonb) is
'Whether labels match all of the matchers; see internal.matchers_path, which many labels need once.';
