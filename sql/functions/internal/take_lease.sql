create or replace function internal.take_lease(
    p_name text, p_holder text, p_seconds double precision, p_now timestamptz
)
returns boolean
language sql
begin atomic
    with taken as (
        insert into data.lease (name, holder, expires_at)
        values (p_name, p_holder, p_now + make_interval(secs => p_seconds))
        -- A session that waited for this row compares with what the other one has written.
        on conflict (name) do update
            set
                holder = excluded.holder,
                expires_at = excluded.expires_at
            where lease.holder = excluded.holder or lease.expires_at <= p_now
        returning expires_at > p_now as held
    )

    select coalesce((select taken.held from taken), false);
end;
comment on function internal.take_lease(text, text, double precision, timestamptz) is
'Takes a lease that is free or expired at p_now, or renews that of p_holder. Returns whether p_holder has
it until p_now + p_seconds.';
