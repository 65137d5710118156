create or replace function internal.chunk_interval(p_relation name) returns interval
language plpgsql stable
as $$
begin
    return (
        select make_interval(secs => dimension.interval_length / 1e6)
        from _timescaledb_catalog.dimension
        where dimension.id = (select internal.dimension_id(p_relation))
    );
end
$$;
comment on function internal.chunk_interval(name) is
'Length of the chunks of a hypertable or continuous aggregate of data.';
