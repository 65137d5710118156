create or replace view ops.storage as
select
    relation,
    chunks,
    row_count,
    bytes,
    round(bytes::numeric / nullif(row_count, 0), 1) as bytes_per_row,
    bytes_before,
    bytes_after,
    round(bytes_before::numeric / nullif(bytes_after, 0), 1) as compression_ratio
from internal.show_relations();
comment on view ops.storage is
'Bytes of each table and rollup. Those of data.sample by its rows are what a sample takes.';
comment on column ops.storage.relation is 'Table, hypertable or continuous aggregate.';
comment on column ops.storage.chunks is 'Number of chunks; null for a plain table.';
comment on column ops.storage.row_count is 'Number of rows; estimated where they are many.';
comment on column ops.storage.bytes is 'Bytes with indexes and columnstore.';
comment on column ops.storage.bytes_per_row is 'Bytes by rows.';
comment on column ops.storage.bytes_before is 'Bytes of what is in the columnstore, before it was converted.';
comment on column ops.storage.bytes_after is 'Bytes of the same now.';
comment on column ops.storage.compression_ratio is 'bytes_before by bytes_after.';
