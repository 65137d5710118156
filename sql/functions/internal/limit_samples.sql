create or replace function internal.limit_samples(p_items jsonb) returns void
language plpgsql immutable
as $$
declare
    c_bytes constant bigint := 64 * 1024 * 1024;
    v_samples bigint;
    v_bytes bigint;
begin
    select
        sum(counted.samples),
        -- What every sample of an item has of it.
        coalesce(
            sum(counted.samples::bigint * octet_length((entry.item - '{ts,value}'::text[])::text))
            filter (where counted.is_list),
            0
        )
    into v_samples, v_bytes
    from jsonb_array_elements(p_items) with ordinality as entry (item, place)
    inner join internal.count_samples(p_items) as counted on entry.place = counted.place;
    if v_samples > 10000 then
        raise exception 'the batch has % samples; the limit is 10000', v_samples
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Split the batch into parts of at most 10000 samples.';
    elsif v_bytes > c_bytes then
        raise exception 'the batch has % bytes when every sample is an item; the limit is %', v_bytes, c_bytes
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Send fewer samples in an item, or fewer and shorter labels.';
    end if;
end
$$;
comment on function internal.limit_samples(jsonb) is
'Refuses metric items that would be too many, or too large, with one sample each.
Errors: batch_within_limit.';
