-- Delivery: who wants to be notified of alerts and facts, what is to be sent, and what was.

create table data.every_subscription (
    subscription_id bigint generated always as identity,
    name text not null,
    type text not null,
    url text not null,
    host text not null generated always as (lower(substring(url from '://([^/?#]+)'))) stored,
    secret text,
    author text not null,
    alerts jsonb,
    facts jsonb,
    enabled boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint subscription_pkey primary key (subscription_id),
    constraint subscription_name_taken unique (namespace, name),
    constraint subscription_name_well_formed check (internal.fits(name, 'identifier')),
    constraint subscription_type_known check (type in ('webhook', 'alertmanager')),
    constraint author_well_formed check (internal.fits(author, 'owner'))
);
comment on table data.every_subscription is 'Who is notified of alerts and facts by HTTP.';
comment on column data.every_subscription.subscription_id is 'Number of the subscription.';
comment on column data.every_subscription.name is 'Name that its author chose.';
comment on column data.every_subscription.type is
'webhook for a signed request, alertmanager for the API of a Prometheus Alertmanager.';
comment on column data.every_subscription.url is 'Where requests go.';
comment on column data.every_subscription.host is 'Host of the URL, with its port.';
comment on column data.every_subscription.secret is
'Key of the signatures, as Standard Webhooks writes it; null for an Alertmanager. Only the sender gets it.';
comment on column data.every_subscription.author is 'Who subscribed.';
comment on column data.every_subscription.alerts is
'Which alerts, and how: {matchers, group_by, group_wait, group_interval, repeat_interval}; null for none.';
comment on column data.every_subscription.facts is 'Which facts: {kinds, sources}; null for none.';
comment on column data.every_subscription.enabled is 'Whether it is notified at all.';
comment on column data.every_subscription.created_at is 'When it was created.';
comment on column data.every_subscription.updated_at is 'When it was changed last.';
comment on column data.every_subscription.namespace is 'Namespace; empty for the default one.';

create view data.subscription with (check_option = cascaded) as
select
    subscription_id,
    name,
    type,
    url,
    host,
    secret,
    author,
    alerts,
    facts,
    enabled,
    created_at,
    updated_at,
    namespace
from data.every_subscription
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.subscription is 'The subscriptions of the namespace that the transaction works in.';

create table data.notification (
    subscription_id bigint not null,
    fingerprint text not null,
    group_key text not null,
    fired_at timestamptz not null,
    notified_at timestamptz not null,
    resolved_at timestamptz,
    alert jsonb not null,
    constraint notification_pkey primary key (subscription_id, fingerprint),
    constraint notification_of_subscription foreign key (subscription_id)
    references data.every_subscription on delete cascade
) with (fillfactor = 50);
comment on table data.notification is
'The alerts that a subscription has been notified of, while they are firing.';
comment on column data.notification.subscription_id is 'Subscription.';
comment on column data.notification.fingerprint is 'Alert.';
comment on column data.notification.group_key is 'Group that it is notified in.';
comment on column data.notification.fired_at is 'Since when the alert is firing.';
comment on column data.notification.notified_at is 'When it was put into the outbox last.';
comment on column data.notification.resolved_at is
'When it was resolved; null while it is firing. An Alertmanager is notified so for five minutes.';
comment on column data.notification.alert is
'What was sent: {status, labels, annotations, startsAt, endsAt, fingerprint}.';

create table data.delivery (
    delivery_id uuid not null default gen_random_uuid(),
    subscription_id bigint not null,
    group_key text not null,
    payload jsonb not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_at timestamptz not null,
    claimed_until timestamptz,
    delivered_at timestamptz,
    failed_at timestamptz,
    error text,
    constraint delivery_pkey primary key (delivery_id),
    constraint delivery_of_subscription foreign key (subscription_id)
    references data.every_subscription on delete cascade,
    constraint delivery_ends_once check (delivered_at is null or failed_at is null)
);
create unique index delivery_under_way on data.delivery (subscription_id, group_key)
where delivered_at is null and failed_at is null;
create index delivery_due on data.delivery (next_at) where delivered_at is null and failed_at is null;
create index delivery_by_group on data.delivery (subscription_id, group_key, created_at);
comment on table data.delivery is
'Requests to subscribers: one under way for each group, so that none overtakes another.';
comment on column data.delivery.delivery_id is 'Id of the message, the same for every attempt.';
comment on column data.delivery.subscription_id is 'Subscription.';
comment on column data.delivery.group_key is 'Group of its alerts; facts for facts.';
comment on column data.delivery.payload is 'Body of the request.';
comment on column data.delivery.created_at is 'When its content was taken from the outbox.';
comment on column data.delivery.attempts is 'Attempts that were begun.';
comment on column data.delivery.next_at is 'When the next attempt is due.';
comment on column data.delivery.claimed_until is 'Until when a process is sending it.';
comment on column data.delivery.delivered_at is 'When the subscriber accepted it.';
comment on column data.delivery.failed_at is 'When it was given up.';
comment on column data.delivery.error is 'Why the last attempt failed.';

create table data.outbox (
    outbox_id bigint generated always as identity,
    subscription_id bigint not null,
    group_key text not null,
    item jsonb not null,
    due_at timestamptz not null,
    -- With an index by the number alone, the first items of a group would be looked for among all.
    constraint outbox_pkey primary key (subscription_id, group_key, outbox_id),
    constraint outbox_of_subscription foreign key (subscription_id)
    references data.every_subscription on delete cascade
);
comment on table data.outbox is
'What subscribers are to be notified of, written in the transaction of its cause.';
comment on column data.outbox.outbox_id is 'Number of the item.';
comment on column data.outbox.subscription_id is 'Subscription.';
comment on column data.outbox.group_key is 'Group of its alert; facts for a fact.';
comment on column data.outbox.item is 'The alert or the fact.';
comment on column data.outbox.due_at is 'When it may be sent: alerts of a group wait for each other.';

insert into data.quota (name, value, used) values
('subscriptions', 1000, null);
