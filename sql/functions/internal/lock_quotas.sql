create or replace function internal.lock_quotas() returns void
language plpgsql
as $$
begin
    perform from data.quota
    order by name
    for no key update;
end
$$;
comment on function internal.lock_quotas() is
'Makes transactions that register kinds, sources or series wait for each other, so that they do not
exceed a quota together, and so that one of them settles the type and unit of a kind.';
