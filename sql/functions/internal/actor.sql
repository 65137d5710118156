create or replace function internal.actor() returns text
language sql stable
begin atomic
    -- In a function of its owner, current_user is that owner.
    select coalesce(nullif(current_setting('supervisor.actor', true), ''), session_user);
end;
comment on function internal.actor() is
'Who acts: the identity that the service names, outside of it the login.';
