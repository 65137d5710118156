create or replace function internal.show_every_alert(p_now timestamptz)
returns table (
    namespace text,
    id text,
    rule text,
    version integer,
    severity text,
    state text,
    labels jsonb,
    annotations jsonb,
    value double precision,
    active_at timestamptz,
    fired_at timestamptz,
    recovering_at timestamptz,
    ack json,
    suppressed boolean,
    silenced_by text[],
    inhibited_by text[],
    maintenance text[],
    evidence jsonb
)
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    -- It is that of the alerts in here, and afterwards what it was.
    v_before constant text := internal.namespace();
    v_shown constant text [] := internal.shown_namespaces();
    v_namespace text;
begin
    for v_namespace in
        select distinct every_alert.namespace from data.every_alert
        where v_shown is null or every_alert.namespace = any(v_shown)
    loop
        perform set_config('supervisor.namespace', v_namespace, true);
        return query
        select v_namespace, shown.*
        from internal.show_alerts(p_now) as shown;
    end loop;
    perform set_config('supervisor.namespace', v_before, true);
end
$$;
comment on function internal.show_every_alert(timestamptz) is
'The rows of analytics.active_alerts at this time, for the login that asks.';
