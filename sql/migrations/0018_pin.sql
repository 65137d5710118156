-- Pins: raw rows that are kept past retention; and from when on the history of facts is complete.

create table data.every_pin (
    pin_id bigint generated always as identity,
    source text not null,
    during tstzrange not null,
    reason text not null,
    author text not null,
    pinned_at timestamptz not null,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint pin_pkey primary key (pin_id),
    constraint pin_once unique (namespace, source, during),
    constraint pin_closed check (
        not isempty(during) and not lower_inf(during) and not upper_inf(during)
    ),
    constraint reason_in_range check (length(reason) between 1 and 1000)
);
create index pin_by_range on data.every_pin using gist (during);
comment on table data.every_pin is
'Ranges of time of a source, such as an incident, whose samples and facts retention does not drop.';
comment on column data.every_pin.pin_id is 'Number of the pin.';
comment on column data.every_pin.source is 'Source whose rows are kept.';
comment on column data.every_pin.during is 'From when until when.';
comment on column data.every_pin.reason is 'Why.';
comment on column data.every_pin.author is 'Who pinned it.';
comment on column data.every_pin.pinned_at is 'When it was pinned.';
comment on column data.every_pin.namespace is 'Namespace; empty for the default one.';

create view data.pin with (check_option = cascaded) as
select
    pin_id,
    source,
    during,
    reason,
    author,
    pinned_at,
    namespace
from data.every_pin
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.pin is 'The pins of the namespace that the transaction works in.';

insert into data.quota (name, value, used) values ('pins', 100, null);

create table data.complete_since (
    relation name not null,
    since timestamptz not null,
    constraint complete_since_pkey primary key (relation),
    constraint relation_known check (relation in ('sample', 'fact_identity'))
);
comment on table data.complete_since is
'From when on a relation is complete. What is missing from before that cannot come back.';
comment on column data.complete_since.relation is
'sample: days before it count facts that have no sample. fact_identity: identities of facts before it were
deleted.';
comment on column data.complete_since.since is 'Start of the time that is complete.';
insert into data.complete_since (relation, since)
values ('sample', '-infinity'), ('fact_identity', '-infinity');
