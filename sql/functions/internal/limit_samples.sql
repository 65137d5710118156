create or replace function internal.limit_samples(p_items jsonb) returns void
language plpgsql stable
as $$
declare
    c_bytes constant bigint := 64 * 1024 * 1024;
    v_samples constant bigint := (select sum(counted.samples) from internal.count_samples(p_items) as counted);
    v_bytes bigint;
begin
    if v_samples > 10000 then
        raise exception 'the batch has % samples; the limit is 10000', v_samples
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Split the batch into parts of at most 10000 samples.';
    end if;
    v_bytes := internal.split_bytes(p_items);
    if v_bytes > c_bytes then
        raise exception 'the batch has % bytes when every sample is an item; the limit is %', v_bytes, c_bytes
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Send fewer samples in an item, or fewer and shorter labels.';
    end if;
end
$$;
comment on function internal.limit_samples(jsonb) is
'Refuses metric items that would be too many, or too large, with one sample each.
Errors: batch_within_limit.';
