create or replace function internal.import_rows(p_stored_in regclass, p_rows json) returns bigint
language plpgsql
as $$
declare
    v_statement text;
    v_rows bigint;
begin
    select
        format(
            'insert into %s (%s) overriding system value select %s from json_to_recordset($1) as line (%s)',
            p_stored_in,
            -- Aggregates of one query have their rows in one order.
            string_agg(quote_ident(name), ', '),
            string_agg(read, ', '),
            string_agg(quote_ident(name) || ' ' || type, ', ')
        )
    into v_statement
    from internal.exported_columns(p_stored_in);
    execute v_statement using p_rows;
    get diagnostics v_rows = row_count;
    return v_rows;
end
$$;
comment on function internal.import_rows(regclass, json) is
'Stores rows of an export, an array of objects, in a relation; the answer is how many.';
