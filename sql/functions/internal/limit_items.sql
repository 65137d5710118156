create or replace function internal.limit_items(p_items bigint) returns void
language plpgsql immutable
as $$
begin
    if p_items > 10000 then
        raise exception 'the batch has % items; the limit is 10000', p_items
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Split the batch into parts of at most 10000 items.';
    end if;
end
$$;
comment on function internal.limit_items(bigint) is
'Refuses a batch of too many items; each sample of an item counts as one.
Errors: batch_within_limit.';
