create or replace function internal.list_chunks(p_relation name)
returns table (
    chunk regclass,
    range_start timestamptz,
    range_end timestamptz,
    compressed boolean,
    frozen boolean
)
language plpgsql stable
as $$
begin
    return query
    select
        listed.chunk,
        listed.range_start,
        listed.range_end,
        -- All of it is in the columnstore (1), and nothing was added to it since (8).
        catalog.status & 9 = 1,
        catalog.status & 4 > 0
    from (
        select
            format('%I.%I', chunks.chunk_schema, chunks.chunk_name)::regclass as chunk,
            chunks.range_start,
            chunks.range_end
        from timescaledb_information.chunks
        where
            format('%I.%I', chunks.hypertable_schema, chunks.hypertable_name)::regclass
            = internal.hypertable(p_relation)
    ) as listed
    inner join _timescaledb_catalog.chunk as catalog
        on _timescaledb_functions.chunk_id_from_relid(listed.chunk) = catalog.id;
end
$$;
comment on function internal.list_chunks(name) is
'The chunks of a hypertable or continuous aggregate of data: what time they have, whether they are wholly in
the columnstore, and whether they are frozen, so that nothing drops or changes them.';
