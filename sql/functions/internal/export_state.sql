create or replace function internal.export_state() returns json
language plpgsql stable
as $$
declare
    v_sequence record;
    v_value bigint;
    v_sequences jsonb := '{}';
begin
    for v_sequence in
        select
            pg_class.relname || '.' || pg_attribute.attname as name,
            pg_get_serial_sequence(pg_class.oid::regclass::text, pg_attribute.attname) as sequence
        from pg_catalog.pg_attribute
        inner join pg_catalog.pg_class on pg_attribute.attrelid = pg_class.oid
        where
            pg_class.relnamespace = 'data'::regnamespace
            and pg_class.relkind = 'r'
            and pg_attribute.attidentity <> ''
    loop
        execute format('select last_value from %s where is_called', v_sequence.sequence) into v_value;
        if v_value is not null then
            v_sequences := v_sequences || jsonb_build_object(v_sequence.name, v_value);
        end if;
    end loop;
    return (
        select json_build_object(
            'sequences', v_sequences,
            'watermarks', (
                select coalesce(json_object_agg(name, internal.watermark(name) order by place), '{}')
                from internal.rollups()
                where isfinite(internal.watermark(name))
            ),
            'chunk_intervals', (
                select json_object_agg(name, internal.chunk_interval(substr(name, 6)::name) order by place)
                from internal.exported_relations()
                where internal.chunk_interval(substr(name, 6)::name) is not null
            ),
            'policies', (
                select json_agg(
                    json_build_object(
                        'relation', policy.relation,
                        'policy', policy.policy,
                        'schedule_interval', policy.schedule_interval,
                        'config', policy.config - '{hypertable_id,mat_hypertable_id}'::text [],
                        'scheduled', jobs.scheduled
                    )
                    order by policy.relation, policy.policy
                )
                from ops.policies as policy
                inner join timescaledb_information.jobs on policy.job_id = jobs.job_id
            )
        )
    );
end
$$;
comment on function internal.export_state() is
'What an export contains beside rows: {sequences, watermarks, chunk_intervals, policies}.';
