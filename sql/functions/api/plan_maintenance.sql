create or replace function api.plan_maintenance(
    p_id text,
    p_servers text[],
    p_from timestamptz,
    p_to timestamptz,
    p_author text,
    p_reason text,
    p_cancelled boolean,
    p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_cancelled constant boolean := coalesce(p_cancelled, false);
    v_servers bigint [];
    v_now timestamptz;
    v_from timestamptz;
    v_during tstzrange;
    v_known boolean;
    v_changed bigint [];
    v_before jsonb;
    v_restated bigint := 0;
    v_cancel record;
begin
    perform internal.check_maintenance(p_id, p_author, p_reason);
    -- Requests for one window take turns.
    perform pg_advisory_xact_lock(hashtextextended('maintenance ' || p_id, 0));
    select
        count(*) > 0,
        -- Later than what was recorded before, also where the clocks of two processes differ.
        greatest(
            p_now,
            max(lower(recorded)) + interval '1 microsecond',
            max(upper(recorded)) + interval '1 microsecond'
        ),
        coalesce(p_from, max(lower(during)) filter (where upper_inf(recorded)), p_now)
    into v_known, v_now, v_from
    from data.maintenance
    where maintenance_id = p_id;
    if not v_cancelled then
        -- Without servers, a window that is in force keeps those that it has.
        v_servers := array(
            select server_id
            from data.maintenance
            where maintenance_id = p_id and upper_inf(recorded) and p_servers is null
        );
        if v_servers = '{}' then
            v_servers := internal.find_maintained(p_servers);
        end if;
    end if;

    if v_cancelled and not v_known then
        raise exception 'unknown maintenance window "%"', p_id
            using errcode = 'SV404', constraint = 'maintenance_unknown', column = 'id',
            hint = 'list_maintenance (GET /health/maintenance) lists the windows.';
    elsif p_to is null and not v_cancelled then
        raise exception 'parameter "to" is missing'
            using errcode = 'SV422', constraint = 'parameter_required', column = 'to',
            hint = 'Send the end of the maintenance as to.';
    elsif not v_cancelled then
        perform internal.check_range(v_from, p_to);
        v_during := tstzrange(v_from, p_to);
    end if;

    select
        array_agg(coalesce(former.server_id, planned.server_id)),
        case
            when least(min(lower(former.during)), lower(v_during)) < v_now
                then (
                    select coalesce(jsonb_object_agg(published.server_id, published.figures), '{}')
                    from internal.published_sla(
                        array_agg(coalesce(former.server_id, planned.server_id)), v_now
                    ) as published
                )
        end
    into v_changed, v_before
    from (
        select * from data.maintenance
        where maintenance_id = p_id and upper_inf(recorded)
    ) as former
    full join unnest(v_servers) as planned (server_id) on former.server_id = planned.server_id
    where
        planned.server_id is null
        or (former.during, former.author, former.reason)
        is distinct from (v_during, p_author, p_reason);

    update data.maintenance
    set
        recorded = tstzrange(lower(recorded), v_now),
        cancelled_by = case when v_cancelled then p_author end,
        cancelled_reason = case when v_cancelled then p_reason end
    where maintenance_id = p_id and upper_inf(recorded) and server_id = any(v_changed);
    insert into data.maintenance (maintenance_id, server_id, during, author, reason, recorded)
    select
        p_id,
        planned.server_id,
        v_during,
        p_author,
        p_reason,
        tstzrange(v_now, null)
    from unnest(v_servers) as planned (server_id)
    where planned.server_id = any(v_changed);
    if v_before is not null then
        v_restated := internal.restate_sla(p_id, p_author, p_reason, v_before, v_now);
    end if;
    select
        cancelled_by,
        cancelled_reason
    into v_cancel
    from data.maintenance
    where maintenance_id = p_id
    order by upper(recorded) desc nulls first
    limit 1;
    return internal.join_json(
        internal.maintenance_json(p_id, v_now),
        json_build_object(
            'cancelled_by', v_cancel.cancelled_by,
            'cancelled_reason', v_cancel.cancelled_reason,
            'changed', v_changed is not null,
            'restated', v_restated
        )
    );
end
$$;
comment on function api.plan_maintenance(
    text, text[], timestamptz, timestamptz, text, text, boolean, timestamptz
) is
'Plans, changes or cancels the maintenance window p_id of p_servers in [p_from, p_to). Without p_from,
the window starts now, or when it started before; without p_servers, it keeps those that it has. With
p_cancelled, it never was; only p_author and
p_reason are needed then. The same content again changes nothing. Where a change touches time that has
passed, a restatement for each server keeps the figures of before and after. Returns {id, status,
servers, from, to, author, reason, cancelled_by, cancelled_reason, changed, restated}: author and reason
are those of the plan; restated is the number of restatements.
Errors: maintenance_id_well_formed, author_well_formed, reason_in_range, servers_listed, server_unknown,
parameter_required, from_before_to, from_in_range, maintenance_unknown.';
