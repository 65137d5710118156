create or replace function internal.chunks_changed(
    p_chunks integer[], p_statuses integer[], p_versions xid[]
)
returns boolean
language plpgsql volatile
as $$
begin
    -- Volatile: it sees what has been committed since the statement of its caller began.
    return exists (
        select
        from unnest(p_chunks, p_statuses, p_versions) as seen (chunk_id, status, version)
        left join _timescaledb_catalog.chunk on seen.chunk_id = chunk.id
        where
            chunk.xmin is distinct from seen.version
            -- All of it was in the columnstore (1); what has been added to it (8) is in neither snapshot.
            and not coalesce(seen.status = 1 and chunk.status & 8 > 0, false)
    );
end
$$;
comment on function internal.chunks_changed(integer[], integer[], xid[]) is
'Whether one of the chunks is gone or has been moved to, within or out of the columnstore since it had this
status and version (xmin) in the catalog.';
