create or replace function internal.parent_watermark(p_rollup name) returns timestamptz
language sql stable
begin atomic
    -- Samples have none.
    select coalesce(internal.watermark(rollup.parent), 'infinity')
    from internal.rollups() as rollup
    where rollup.name = p_rollup;
end;
comment on function internal.parent_watermark(name) is
'End of what a rollup can be made of: the watermark of its parent, infinity for a rollup of samples.';
