create or replace function internal.frozen_upto(p_relation name) returns timestamptz
language plpgsql stable
as $$
begin
    -- Of the catalog: ingest asks for it.
    return coalesce(
        (
            select _timescaledb_functions.to_timestamp(max(slice.range_end))
            from _timescaledb_catalog.hypertable
            inner join _timescaledb_catalog.chunk on hypertable.id = chunk.hypertable_id
            inner join _timescaledb_catalog.chunk_constraint as part on chunk.id = part.chunk_id
            inner join _timescaledb_catalog.dimension_slice as slice on part.dimension_slice_id = slice.id
            where
                hypertable.schema_name = 'data'
                and hypertable.table_name = p_relation
                and chunk.status & 4 > 0
        ),
        '-infinity'
    );
end
$$;
comment on function internal.frozen_upto(name) is
'End of the newest chunk of a hypertable of data that is frozen because of a pin; -infinity without one.';
