create or replace function internal.check_chunks(p_relations name[]) returns void
language plpgsql stable
as $$
declare
    v_chunks integer [];
    v_statuses integer [];
    v_versions xid [];
begin
    -- Queries of one statement share its snapshot, and are planned after it was taken: for the chunks as
    -- they are then. Rows that were moved to the columnstore in between are in neither part of the plan.
    select
        array_agg(chunk.id),
        array_agg(chunk.status),
        array_agg(chunk.xmin)
    into v_chunks, v_statuses, v_versions
    from _timescaledb_catalog.hypertable
    inner join _timescaledb_catalog.chunk on hypertable.id = chunk.hypertable_id
    left join _timescaledb_catalog.continuous_agg as rollup on hypertable.id = rollup.mat_hypertable_id
    where
        coalesce(rollup.user_view_schema, hypertable.schema_name) = 'data'
        and coalesce(rollup.user_view_name, hypertable.table_name) = any(p_relations);
    if internal.chunks_changed(v_chunks, v_statuses, v_versions) then
        raise exception 'chunks of % were moved while they were read', array_to_string(p_relations, ', ')
            using errcode = '40001', hint = 'Send the request again.';
    end if;
end
$$;
comment on function internal.check_chunks(name[]) is
'Fails with 40001 where a chunk of these hypertables or rollups was dropped, or moved to, within or out of the
columnstore, after the snapshot of the caller was taken: what the caller has read may lack rows. Call it last.
It sees nothing of this in REPEATABLE READ.';
