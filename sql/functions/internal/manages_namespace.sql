create or replace function internal.manages_namespace(p_namespace text) returns boolean
language sql stable
begin atomic
    select coalesce(current_setting('supervisor.namespace', true), '') in ('', p_namespace);
end;
comment on function internal.manages_namespace(text) is
'Whether who acts may manage the keys of a namespace: their own, or any from the default one.';
