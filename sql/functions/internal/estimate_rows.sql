create or replace function internal.estimate_rows(p_relation regclass) returns bigint
language plpgsql stable
as $$
declare
    c_pages constant integer := 1000;
    v_pages constant bigint := pg_relation_size(p_relation) / current_setting('block_size')::integer;
    v_percent constant numeric := least(100, 100.0 * c_pages / nullif(v_pages, 0));
    v_rows bigint;
begin
    -- Not reltuples: the embedded server has no autovacuum that would keep it. The same pages each
    -- time, so that the numbers change with the table only.
    execute format(
        'select round(count(*) * 100 / %2$s) from %1$s tablesample system (%2$s) repeatable (0)',
        p_relation, v_percent
    ) into v_rows;
    return v_rows;
end
$$;
comment on function internal.estimate_rows(regclass) is
'Number of rows of a table: exact up to 8 MB, beyond that estimated from a sample of its pages, in
milliseconds for any size.';
