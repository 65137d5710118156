create or replace function internal.oldest_chunk(p_relation name) returns timestamptz
language plpgsql stable
as $$
declare
    v_dimension constant integer := internal.dimension_id(p_relation);
begin
    return coalesce(
        (
            select _timescaledb_functions.to_timestamp(slice.range_start)
            from _timescaledb_catalog.dimension_slice as slice
            where
                slice.dimension_id = v_dimension
                -- What is pinned says nothing of what is around it. An aggregate is asked for the first
                -- slices of the index alone, where not exists would be a join of all chunks.
                and not (
                    select bool_or(chunk.status & 4 > 0)
                    from _timescaledb_catalog.chunk_constraint as part
                    inner join _timescaledb_catalog.chunk on part.chunk_id = chunk.id
                    where part.dimension_slice_id = slice.id
                )
            order by slice.range_start
            limit 1
        ),
        'infinity'
    );
end
$$;
comment on function internal.oldest_chunk(name) is
'Start of the oldest chunk of a hypertable or continuous aggregate of data that no pin keeps; infinity without
chunks.';
