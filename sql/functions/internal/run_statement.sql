create or replace function internal.run_statement(p_sql text, p_limit integer, p_bytes integer)
returns json
language plpgsql stable
-- It belongs to supervisor_statement, by grants.sql: what it runs may do what analysts may, and in a security
-- definer function nothing can change the role.
security definer
set search_path = pg_catalog, analytics, public, pg_temp
as $$
declare
    v_cursor refcursor;
    v_row record;
    v_json json;
    v_rows json [] := '{}';
    v_bytes bigint := 0;
    v_truncated boolean := false;
begin
    -- A cursor takes a single statement, and in a stable function only one that reads: no EXPLAIN, which
    -- counts the rows that a view leaves out.
    open v_cursor no scroll for execute p_sql;
    loop
        fetch v_cursor into v_row;
        exit when not found;
        v_json := row_to_json(v_row);
        v_bytes := v_bytes + octet_length(v_json::text);
        v_truncated := cardinality(v_rows) = p_limit or v_bytes > p_bytes;
        exit when v_truncated;
        v_rows := v_rows || (
            select coalesce(json_agg(each.value order by each.n), '[]')
            from json_each(v_json) with ordinality as each (key, value, n)
        );
    end loop;
    close v_cursor;
    if v_json is null then
        begin
            -- Nothing of it runs: the row is there for the names of its columns.
            open v_cursor no scroll for execute
            concat(
                'select asked.* from (values (1)) as one left join (',
                rtrim(p_sql, E' \t\r\n;'), E'\n) as asked on false'
            );
            fetch v_cursor into v_row;
            close v_cursor;
            v_json := row_to_json(v_row);
        exception when syntax_error then
            -- What may follow a statement need not fit into another one.
            null;
        end;
    end if;
    return json_build_object(
        'columns', (
            select coalesce(json_agg(each.key order by each.n), '[]')
            from json_each(v_json) with ordinality as each (key, value, n)
        ),
        'rows', array_to_json(v_rows),
        'truncated', v_truncated
    );
end
$$;
comment on function internal.run_statement(text, integer, integer) is
'At most p_limit rows, of p_bytes bytes of JSON together, of a statement that runs with the rights of
supervisor_analyst.';
