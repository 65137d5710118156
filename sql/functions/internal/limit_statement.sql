create or replace function internal.limit_statement() returns void
language plpgsql
as $$
declare
    c_memory constant bigint := pg_size_bytes('16MB');
    c_temporary constant bigint := pg_size_bytes('1GB');
    v_temporary constant text := current_setting('temp_file_limit');
begin
    -- Every sort and every hash of a statement takes that much, and goes on in temporary files.
    perform set_config(
        'work_mem', least(c_memory, pg_size_bytes(current_setting('work_mem'))) / 1024 || 'kB', true
    );
    perform set_config('hash_mem_multiplier', '1', true);
    if has_parameter_privilege('temp_file_limit', 'set')
        and (v_temporary = '-1' or pg_size_bytes(v_temporary) > c_temporary)
    then
        perform set_config('temp_file_limit', c_temporary / 1024 || 'kB', true);
    end if;
end
$$;
comment on function internal.limit_statement() is
'Until the transaction ends, a sort or a hash has at most 16 MB of memory, and all temporary files together
1 GB. The owner of the schema may set the latter where he is a superuser, or was granted to set
temp_file_limit.';
