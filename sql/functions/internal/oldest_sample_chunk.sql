create or replace function internal.oldest_sample_chunk() returns timestamptz
language sql stable
begin atomic
    select min(range_start)
    from timescaledb_information.chunks
    where hypertable_schema = 'data' and hypertable_name = 'sample';
end;
comment on function internal.oldest_sample_chunk() is
'Start of the oldest chunk of data.sample; null while there is no chunk.';
