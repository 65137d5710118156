create or replace function internal.rollup_width(p_rollup name) returns interval
language sql immutable strict parallel safe
begin atomic
    -- In hours, because the length of a day depends on the time zone of the session.
    select
        make_interval(
            secs => extract(epoch from substring(p_rollup::text from '_([0-9]+[hd])$')::interval)
        );
end;
comment on function internal.rollup_width(name) is
'Width of the buckets of a rollup, which its name ends with.';
