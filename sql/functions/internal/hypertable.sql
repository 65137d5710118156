create or replace function internal.hypertable(p_relation name) returns regclass
language plpgsql stable
as $$
begin
    return (
        select format('%I.%I', hypertable.schema_name, hypertable.table_name)::regclass
        from _timescaledb_catalog.hypertable
        inner join _timescaledb_catalog.dimension on hypertable.id = dimension.hypertable_id
        where dimension.id = (select internal.dimension_id(p_relation))
    );
end
$$;
comment on function internal.hypertable(name) is
'The hypertable that has the rows of a hypertable or continuous aggregate of data; null for any other name.';
