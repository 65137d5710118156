create or replace function ops.set_columnstore(p_relation text, p_after interval) returns void
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
begin
    perform internal.change_policy(
        'columnstore', p_relation, 'policy_compression', 'compress_after', p_after,
        '{1 day,1000 years}'
    );
end
$$;
comment on function ops.set_columnstore(text, interval) is
'Converts the chunks of a relation of ops.policies to the columnstore when they are older than p_after. The
audit records it; a deploy keeps it.
Errors: policy_unknown, policy_value_in_range.';
