create or replace function api.subscribe(p_name text, p_document jsonb, p_now timestamptz)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_sent constant jsonb := case jsonb_typeof(p_document)
        when 'object' then jsonb_build_object('name', p_name) || p_document
        else p_document
    end;
    v_faults constant jsonb := internal.subscription_faults(p_name, v_sent);
    v_type constant text := coalesce(v_sent ->> 'type', 'webhook');
    v_before data.subscription;
    v_after data.subscription;
begin
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
    -- Requests for one name take turns.
    perform pg_advisory_xact_lock(hashtextextended('subscription ' || p_name, 0));
    select * into v_before
    from data.subscription
    where name = p_name;
    if not found then
        perform internal.refuse_over_quota(
            'subscriptions', (select count(*) + 1 from data.subscription), 'subscriptions',
            'Remove those that nobody needs.'
        );
    end if;

    insert into data.subscription as subscription (
        name, type, url, secret, author, alerts, facts, enabled, created_at, updated_at
    )
    values (
        p_name, v_type, v_sent ->> 'url',
        case when v_type = 'webhook' then
            coalesce(v_sent ->> 'secret', v_before.secret, internal.new_secret())
        end,
        v_sent ->> 'author', internal.subscription_alerts(v_type, v_sent -> 'alerts'), v_sent -> 'facts',
        coalesce((v_sent ->> 'enabled')::boolean, true), p_now, p_now
    )
    on conflict (namespace, name) do update set
        type = excluded.type,
        url = excluded.url,
        secret = excluded.secret,
        author = excluded.author,
        alerts = excluded.alerts,
        facts = excluded.facts,
        enabled = excluded.enabled,
        updated_at = case
            when (
                subscription.type, subscription.url, subscription.secret, subscription.author,
                subscription.alerts, subscription.facts, subscription.enabled
            ) is distinct from (
                excluded.type, excluded.url, excluded.secret, excluded.author, excluded.alerts,
                excluded.facts, excluded.enabled
            ) then excluded.updated_at
            else subscription.updated_at
        end
    returning * into v_after;

    return internal.join_json(
        internal.subscription_json(v_after),
        json_build_object(
            'outcome', case
                when v_before.name is null then 'created'
                when v_after is distinct from v_before then 'changed'
                else 'unchanged'
            end,
            'secret', case when v_after.secret is distinct from v_before.secret then v_after.secret end,
            'hint', nullif(
                concat_ws(
                    ' ',
                    internal.address_hint(v_after.url),
                    internal.label_hint(
                        array(select jsonb_array_elements(v_after.alerts -> 'matchers') ->> 'name')
                    )
                ),
                ''
            )
        )
    );
end
$$;
comment on function api.subscribe(text, jsonb, timestamptz) is
'Creates or changes a subscription: who is notified of alerts and facts by HTTP. p_document is {author, url,
type, secret, alerts, facts, enabled}; see internal.subscription_schema. A webhook without a secret gets
one. Returns the subscription as list_subscriptions shows it, with outcome (created, changed, unchanged),
hint, which says that the URL has an address that is not public, and which labels of matchers no alert and no
rule has, and, only where this call has set it,
the secret.
Errors: document_refused, count_within_quota.';
