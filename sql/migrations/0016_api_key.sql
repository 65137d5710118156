-- Keys that clients prove with who they are.

create table data.api_key (
    key_id text not null,
    digest bytea not null,
    owner text not null,
    scopes text[] not null,
    sources text[],
    namespace text not null,
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    reason text,
    rotated_from text,
    constraint key_id_taken primary key (key_id),
    constraint key_rotated_once unique (rotated_from),
    constraint key_rotated_from_key foreign key (rotated_from) references data.api_key,
    constraint key_id_well_formed check (internal.fits(key_id, 'key_id')),
    constraint digest_complete check (octet_length(digest) = 32),
    constraint owner_well_formed check (internal.fits(owner, 'owner')),
    constraint scopes_known check (scopes <@ '{read, ingest, admin}' and scopes <> '{}'),
    -- A key that may do everything may also create one that is not bound.
    constraint sources_of_ingest check (
        sources is null or (sources <> '{}' and scopes @> '{ingest}' and not scopes @> '{admin}')
    ),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint expires_in_future check (expires_at > created_at),
    constraint revoked_by_someone check ((revoked_at is null) = (revoked_by is null)),
    constraint reason_in_range check (length(reason) between 1 and 1000)
);
create index api_key_by_time on data.api_key (created_at, key_id);
comment on table data.api_key is
'Keys that clients prove with who they are. Nothing in a row but the end of the key changes.';
comment on column data.api_key.key_id is 'The part of the key that is shown, after sk_.';
comment on column data.api_key.digest is
'HMAC-SHA256 of the whole key under a secret of the service; the key itself is not stored.';
comment on column data.api_key.owner is 'Who has the key.';
comment on column data.api_key.scopes is 'What it may be used for: read, ingest, admin.';
comment on column data.api_key.sources is 'The only sources that it may ingest as; null for any.';
comment on column data.api_key.namespace is 'Namespace that it sees and writes; empty for the default one.';
comment on column data.api_key.created_at is 'When it was created.';
comment on column data.api_key.created_by is 'Who created it.';
comment on column data.api_key.expires_at is 'From when on it is refused; null for never.';
comment on column data.api_key.revoked_at is
'From when on it is refused because it was revoked or rotated; never later than it was set first.';
comment on column data.api_key.revoked_by is 'Who revoked or rotated it.';
comment on column data.api_key.reason is 'Why it was revoked.';
comment on column data.api_key.rotated_from is 'Key that it replaces.';

create table data.api_key_use (
    key_id text not null,
    used_at timestamptz not null,
    constraint api_key_use_pkey primary key (key_id),
    constraint api_key_use_of_key foreign key (key_id) references data.api_key on delete cascade
) with (fillfactor = 50);
comment on table data.api_key_use is
'When keys were used last. It is apart from the keys because it changes by the minute, and they do not.';
comment on column data.api_key_use.key_id is 'Key.';
comment on column data.api_key_use.used_at is 'Time of the newest use, within a minute.';

insert into data.quota (name, value, used) values
('api_keys', 1000, null);
