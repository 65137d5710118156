create or replace function internal.audit_change() returns trigger
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_table constant text := regexp_replace(tg_table_name, '^every_', '');
    v_new constant jsonb := to_jsonb(new.*);
    v_old constant jsonb := case
        when tg_op = 'INSERT' then internal.audited_before(v_table, v_new)
        else to_jsonb(old.*)
    end;
    v_before record := internal.audited(v_table, v_old);
    v_after record := internal.audited(v_table, v_new);
    v_row record;
    v_changes jsonb;
begin
    v_row := case when tg_op = 'DELETE' then v_before else v_after end;
    select
        jsonb_object_agg(
            name,
            case
                when name = any(v_row.hidden) then '{}'
                else (
                    select jsonb_object_agg(side, value)
                    from (values ('old', before.value), ('new', after.value)) as sides (side, value)
                    where value <> 'null'
                )
            end
        )
    into v_changes
    from jsonb_each(v_before.members) as before (name, value)
    full join jsonb_each(v_after.members) as after (name, value) using (name)
    where coalesce(before.value, 'null') <> coalesce(after.value, 'null');
    if v_changes is not null then
        perform internal.audit(
            case when v_old is null then 'insert' when v_new is null then 'delete' else 'update' end,
            v_row.object_type,
            v_row.object_name,
            v_row.namespace,
            v_row.identity || v_changes
        );
    end if;
    return null;
end
$$;
comment on function internal.audit_change() is
'Appends the change of a row to the audit: the members that differ, with their values before and after.';

-- At the end of a transaction, when all its other locks are taken: none waits for two at a time.
do $$
declare
    v_audited record;
begin
    for v_audited in
        select *
        from (
            values
            ('every_server', 'insert or update or delete'),
            ('server_version', 'insert or update or delete'),
            -- Every evaluation updates others.
            ('every_alert_rule', 'update of deleted_at, deleted_by or delete'),
            ('alert_rule_version', 'insert or update or delete'),
            ('every_kpi', 'update of deleted_at, deleted_by or delete'),
            ('kpi_version', 'insert or update or delete'),
            ('every_silence', 'insert or update or delete'),
            ('every_maintenance', 'insert or update or delete'),
            ('every_subscription', 'insert or update or delete'),
            ('every_pin', 'insert or update or delete'),
            ('every_snapshot', 'insert or update or delete'),
            ('api_key', 'insert or update or delete'),
            -- Every new series updates used.
            ('quota', 'insert or update of value or delete')
        ) as audited (table_name, events)
    loop
        if to_regclass('data.' || v_audited.table_name) is not null and not exists (
            select from pg_catalog.pg_trigger
            where tgrelid = to_regclass('data.' || v_audited.table_name) and tgname = 'audited'
        ) then
            execute format(
                'create constraint trigger audited after %s on data.%I deferrable initially deferred'
                || ' for each row execute function internal.audit_change()',
                v_audited.events,
                v_audited.table_name
            );
        end if;
    end loop;
end
$$;
