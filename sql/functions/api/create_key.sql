create or replace function api.create_key(
    p_key_id text,
    p_digest bytea,
    p_owner text,
    p_scopes text[],
    p_sources text[],
    p_namespace text,
    p_expires_at timestamptz,
    p_idempotency_key text,
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
    v_claim record;
    v_key data.api_key;
    v_outcome text := 'created';
begin
    if p_idempotency_key is not null then
        v_claim := internal.claim_idempotency_key(
            'create_key',
            p_idempotency_key,
            jsonb_build_array(p_owner, p_scopes, p_sources, p_namespace, p_expires_at),
            p_now
        );
        if v_claim.answer is not null then
            v_key := internal.find_key(v_claim.answer ->> 'id');
            v_outcome := 'unchanged';
        end if;
    end if;
    if v_outcome = 'created' then
        v_key.key_id := p_key_id;
        v_key.digest := p_digest;
        v_key.owner := p_owner;
        -- read, ingest, admin.
        v_key.scopes := array(select distinct unnest(p_scopes) order by 1 desc);
        v_key.sources := p_sources;
        v_key.namespace := coalesce(p_namespace, current_setting('supervisor.namespace', true), '');
        v_key.created_at := p_now;
        v_key.created_by := internal.actor();
        v_key.expires_at := p_expires_at;
        perform internal.insert_key(v_key, p_now);
        perform internal.complete_idempotency_key(
            'create_key', p_idempotency_key, json_build_object('id', p_key_id), null
        );
    end if;
    return internal.join_json(
        internal.key_json(v_key, p_now),
        json_build_object(
            'outcome', v_outcome,
            'hint', case when v_outcome = 'unchanged' then
                'The first answer to this request had the key. If it was lost, rotate_key'
                ' (POST /access/keys/{id}/rotation) gives another one.'
            end
        )
    );
end
$$;
comment on function api.create_key(
    text, bytea, text, text[], text[], text, timestamptz, text, timestamptz
) is
'Creates a key for p_owner, of which the service has made the id p_key_id and the digest p_digest. p_scopes
are some of read, ingest and admin; admin includes the others. p_sources are the only sources that it may
ingest as, null for any. p_namespace is that of who creates it, unless given. Without p_expires_at, the key
does not expire. Returns the key as list_keys shows it, with outcome and hint. A repeated request with
p_idempotency_key creates nothing: outcome is unchanged then, and hint says what to do if the key was lost.
Errors: owner_well_formed, owner_reserved, scopes_known, sources_well_formed, sources_of_ingest,
namespace_well_formed, namespace_of_key, expires_in_future, count_within_quota,
idempotency_key_well_formed, idempotency_key_reused.';
