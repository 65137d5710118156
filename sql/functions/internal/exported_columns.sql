create or replace function internal.exported_columns(p_stored_in regclass)
returns table (place smallint, name name, type text, written text, read text, sort_key text)
language sql stable
begin atomic
    select
        shown.attnum,
        shown.attname,
        case when shown.as_text then 'text' else format_type(shown.atttypid, shown.atttypmod) end,
        case
            when shown.as_text then format('%1$I::text as %1$I', shown.attname)
            else quote_ident(shown.attname)
        end,
        case
            when shown.as_text then format('%I::%s', shown.attname, shown.atttypid::regtype)
            when shown.atttypid = 'jsonb'::regtype then format('coalesce(%I, ''null'')', shown.attname)
            else quote_ident(shown.attname)
        end,
        -- What compares texts depends on the collation of the database.
        case
            when shown.atttypid = any(
                '{bigint,boolean,bytea,double precision,integer,numeric,smallint,timestamptz,uuid}'::regtype[]
            ) then quote_ident(shown.attname)
            else format('%I::text collate "C"', shown.attname)
        end
    from (
        select
            *,
            -- A json is kept to the byte; in a jsonb, a JSON null is not the same as none.
            atttypid = 'json'::regtype or (atttypid = 'jsonb'::regtype and not attnotnull) as as_text
        from pg_catalog.pg_attribute
    ) as shown
    left join pg_catalog.pg_attrdef as filled
        on shown.attrelid = filled.adrelid and shown.attnum = filled.adnum
    where
        shown.attrelid = p_stored_in
        and shown.attnum > 0
        and not shown.attisdropped
        and shown.attgenerated = ''
        -- Numbers of transactions mean nothing on another server: there, rows have that of their import.
        and coalesce(pg_get_expr(filled.adbin, filled.adrelid) not like '%pg_current_xact_id%', true);
end;
comment on function internal.exported_columns(regclass) is
'The columns of a relation that an export contains: the type that they have there, the expressions that write
and read them, and one that orders rows in the same way on every server.';
