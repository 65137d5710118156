create or replace view ops.keys as
select
    api_key.key_id as id,
    api_key.owner,
    case
        when api_key.revoked_at <= now() then 'revoked'
        when api_key.expires_at <= now() then 'expired'
        else 'active'
    end as status,
    api_key.scopes,
    api_key.sources,
    api_key.namespace,
    api_key.created_at,
    api_key.created_by,
    api_key.expires_at,
    api_key_use.used_at as last_used_at,
    api_key.revoked_at,
    api_key.revoked_by,
    api_key.reason,
    api_key.rotated_from
from data.api_key
left join data.api_key_use on api_key.key_id = api_key_use.key_id;
comment on view ops.keys is 'Keys of all namespaces, without their digests.';
comment on column ops.keys.id is 'The part of the key that is shown, after sk_.';
comment on column ops.keys.owner is 'Who has the key.';
comment on column ops.keys.status is 'active, expired or revoked.';
comment on column ops.keys.scopes is 'What it may be used for: read, ingest, admin.';
comment on column ops.keys.sources is 'The only sources that it may ingest as; null for any.';
comment on column ops.keys.namespace is 'Namespace that it sees and writes; empty for the default one.';
comment on column ops.keys.created_at is 'When it was created.';
comment on column ops.keys.created_by is 'Who created it.';
comment on column ops.keys.expires_at is 'From when on it is refused; null for never.';
comment on column ops.keys.last_used_at is 'When it was used last, within a minute.';
comment on column ops.keys.revoked_at is 'From when on it is refused because it was revoked or rotated.';
comment on column ops.keys.revoked_by is 'Who revoked or rotated it.';
comment on column ops.keys.reason is 'Why it was revoked.';
comment on column ops.keys.rotated_from is 'Key that it replaces.';
