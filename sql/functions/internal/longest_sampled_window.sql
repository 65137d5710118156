create or replace function internal.longest_sampled_window() returns interval
language sql immutable parallel safe
begin atomic
    select interval '6 hours';
end;
comment on function internal.longest_sampled_window() is
'The longest window of an alert rule that is read from samples.';
