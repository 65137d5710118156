create or replace function internal.insert_key(p_key data.api_key, p_now timestamptz) returns void
language plpgsql
as $$
begin
    perform internal.check_key(p_key, p_now);
    -- Requests take turns for the last keys of the quota.
    perform pg_advisory_xact_lock(hashtextextended('api_key', 0));
    insert into data.api_key select (p_key).*;
    perform internal.refuse_over_quota(
        'api_keys',
        (
            select count(*) from data.api_key
            where namespace = (p_key).namespace and internal.key_status(api_key, p_now) = 'active'
        ),
        'active keys',
        'Revoke those that nobody needs.'
    );
end
$$;
comment on function internal.insert_key(data.api_key, timestamptz) is
'Stores a new key.
Errors: those of internal.check_key, count_within_quota.';
