create or replace function internal.measure_chunks(p_relation name)
returns table (
    chunk regclass,
    range_start timestamptz,
    range_end timestamptz,
    compressed boolean,
    frozen boolean,
    row_count bigint,
    bytes bigint,
    bytes_before bigint,
    bytes_after bigint
)
language plpgsql stable
as $$
begin
    return query
    select
        listed.chunk,
        listed.range_start,
        listed.range_end,
        listed.compressed,
        listed.frozen,
        case when not listed.compressed then internal.estimate_rows(listed.chunk) else 0 end
        + coalesce(stored.numrows_pre_compression, 0),
        pg_total_relation_size(listed.chunk) + coalesce(pg_total_relation_size(settings.compress_relid), 0),
        (
            stored.uncompressed_heap_size + stored.uncompressed_index_size
            + stored.uncompressed_toast_size
        ),
        stored.compressed_heap_size + stored.compressed_index_size + stored.compressed_toast_size
    from internal.list_chunks(p_relation) as listed
    left join _timescaledb_catalog.compression_settings as settings on listed.chunk = settings.relid
    left join _timescaledb_catalog.compression_chunk_size as stored
        on _timescaledb_functions.chunk_id_from_relid(listed.chunk) = stored.chunk_id;
end
$$;
comment on function internal.measure_chunks(name) is
'The chunks of a hypertable or continuous aggregate of data, with their rows, estimated where they are many,
and bytes; bytes_before and bytes_after are those of what was converted to the columnstore.';
