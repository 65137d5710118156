create or replace function internal.check_statement(p_sql text) returns void
language plpgsql stable
as $$
declare
    -- What they do ends with the call.
    c_harmless constant text [] := '{
        clock_timestamp, gen_random_uuid, interpolate, locf, random, random_normal, time_bucket_gapfill
    }';
    v_function text;
begin
    if regexp_replace(p_sql, '--[^\n]*|/\*.*?\*/|[\s;]+', '', 'g') = '' then
        raise exception 'the statement is empty'
            using errcode = 'SV422', constraint = 'statement_present', column = 'sql',
            hint = 'Send a statement that reads, such as select * from kinds.';
    end if;
    -- A name can also be written with escapes.
    if p_sql ~* 'u&"' then
        raise exception 'names with Unicode escapes may not be used'
            using errcode = 'SV422', constraint = 'statement_reads', column = 'sql',
            hint = 'Write the name in double quotes without U&.';
    end if;
    -- Words in comments and texts are looked at too: what is a text here need not be one for the server.
    select min(word.name)
    into v_function
    from (
        select lower(part[1]) as name from regexp_matches(p_sql, '[a-zA-Z_][a-zA-Z0-9_]*', 'g') as part
    ) as word
    inner join pg_proc on word.name = pg_proc.proname
    where
        pg_proc.provolatile = 'v'
        and not word.name = any(c_harmless)
        -- A kind may have the name of a function that no analyst reaches, such as heartbeat, or that no
        -- statement can call, such as system.
        and not 'internal'::regtype = any(pg_proc.proargtypes)
        and has_schema_privilege('supervisor_analyst', pg_proc.pronamespace, 'usage');
    if v_function is not null then
        raise exception 'function "%" may not be called', v_function
            using errcode = 'SV422', constraint = 'statement_reads', column = 'sql',
            hint = 'Leave it out, also in texts and comments: it does more than read.';
    end if;
end
$$;
comment on function internal.check_statement(text) is
'Refuses a statement in which a volatile function is named. A read-only transaction that is rolled back
undoes no wait, no advisory lock and no message in the log of the server.
Errors: statement_present, statement_reads.';
