create or replace function api.list_changes(
    p_since pg_snapshot,
    out visibility pg_snapshot,
    out read_at timestamptz,
    out changes json
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    select
        api.get_visibility(),
        now(),
        (
            select json_object_agg(space.namespace, space.kinds)
            from (
                select
                    changed.namespace,
                    json_object_agg(changed.name, changed.xids) as kinds
                from (
                    select
                        kind.namespace,
                        kind.name,
                        json_agg(kind_change.xid::text::bigint) as xids
                    from data.kind_change
                    inner join data.every_kind as kind on kind_change.kind_id = kind.kind_id
                    where
                        kind_change.xid >= pg_snapshot_xmin(p_since)
                        and not pg_visible_in_snapshot(kind_change.xid, p_since)
                    group by kind.namespace, kind.name
                ) as changed
                group by changed.namespace
            ) as space
        );
end;
comment on function api.list_changes(pg_snapshot) is
'What was committed after what p_since sees, in all namespaces. changes:
{namespace: {kind: [transaction, ...]}}, null for none or where p_since is null; visibility: what this answer
sees, the next p_since; read_at: the clock of the database.';
