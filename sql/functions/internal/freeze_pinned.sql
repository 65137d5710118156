create or replace function internal.freeze_pinned(p_now timestamptz) returns integer
language plpgsql
as $$
declare
    -- Long enough for the job that calls this to have been down for days.
    c_ahead constant interval := interval '7 days';
    v_chunk record;
    v_frozen integer := 0;
begin
    for v_chunk in
        select
            chunk.*,
            exists (
                select from data.every_pin
                where during && tstzrange(chunk.range_start, chunk.range_end)
            ) as pinned,
            -- Where rows are kept for days only: never a chunk that still takes new ones.
            chunk.range_end <= p_now - greatest(relation.retention - c_ahead, relation.retention / 2) as expiring
        from (
            values ('sample'::name, internal.retention('sample')), ('fact', internal.retention('fact'))
        ) as relation (name, retention)
        cross join lateral internal.list_chunks(relation.name) as chunk
    loop
        if v_chunk.frozen and not v_chunk.pinned then
            perform _timescaledb_functions.unfreeze_chunk(v_chunk.chunk);
        elsif v_chunk.pinned and v_chunk.expiring and not v_chunk.frozen then
            -- The columnstore policy cannot convert it afterwards.
            if not v_chunk.compressed then
                perform compress_chunk(v_chunk.chunk, if_not_compressed => true);
            end if;
            perform _timescaledb_functions.freeze_chunk(v_chunk.chunk);
            v_frozen := v_frozen + 1;
        end if;
    end loop;
    return v_frozen;
end
$$;
comment on function internal.freeze_pinned(timestamptz) is
'Freezes the chunks of samples and facts that a pin needs, a week before they expire, but not before half of
their time is over: retention leaves out frozen chunks. Thaws those that no pin needs any more. Returns
how many it froze.';
