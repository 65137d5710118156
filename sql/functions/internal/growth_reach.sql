create or replace function internal.growth_reach(p_window interval) returns interval
language sql immutable parallel safe
begin atomic
    select least(greatest(p_window, interval '5 minutes'), interval '168 hours');
end;
comment on function internal.growth_reach(interval) is
'How far before a window the reading may be that its first growth of a counter is counted from.';
