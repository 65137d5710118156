create or replace function internal.check_key(p_key data.api_key, p_now timestamptz) returns void
language plpgsql stable
as $$
begin
    if internal.fits((p_key).owner, 'owner') is not true then
        raise exception 'owner is not a text of 1 to 200 characters on one line'
            using errcode = 'SV422', constraint = 'owner_well_formed', column = 'owner',
            hint = 'Send who gets the key as owner, such as the name of an agent or a team.';
    end if;
    -- The audit calls others so.
    if (p_key).owner in ('anyone', 'bootstrap') then
        raise exception 'owner "%" is reserved', (p_key).owner
            using errcode = 'SV422', constraint = 'owner_reserved', column = 'owner',
            hint = 'Send another name: the audit calls requests without authentication anyone, and those'
            ' with the key of the operator bootstrap.';
    end if;
    if ((p_key).scopes <@ '{read, ingest, admin}' and (p_key).scopes <> '{}') is not true then
        raise exception 'scopes are not some of read, ingest and admin'
            using errcode = 'SV422', constraint = 'scopes_known', column = 'scopes',
            hint = 'Send one or more of read, ingest and admin; admin includes the others.';
    end if;
    if
        cardinality((p_key).sources) not between 1 and 100
        or exists (
            select from unnest((p_key).sources) as source
            where internal.fits(source, 'source_name') is not true
        )
    then
        raise exception 'sources are not 1 to 100 names of sources'
            using errcode = 'SV422', constraint = 'sources_well_formed', column = 'sources',
            hint = 'Send exact names of at most 200 characters without white space, or leave sources out:'
            ' the key then ingests as any source.';
    end if;
    if (p_key).sources is not null and ((p_key).scopes @> '{ingest}' and not (p_key).scopes @> '{admin}') is not true
    then
        raise exception 'sources bind keys with the scope ingest and without admin'
            using errcode = 'SV422', constraint = 'sources_of_ingest', column = 'sources',
            hint = 'Send the scope ingest, with or without read, or leave sources out.';
    end if;
    if internal.fits((p_key).namespace, 'namespace') is not true then
        raise exception 'invalid namespace "%"', left((p_key).namespace, 100)
            using errcode = 'SV422', constraint = 'namespace_well_formed', column = 'namespace',
            hint = 'Send at most 63 lower-case letters, digits and hyphens, with no hyphen first; or leave it out.';
    end if;
    if not internal.manages_namespace((p_key).namespace) then
        raise exception 'namespace "%" is not yours', (p_key).namespace
            using errcode = 'SV403', constraint = 'namespace_of_key', column = 'namespace',
            hint = 'Leave namespace out: the key then gets yours.';
    end if;
    if (p_key).expires_at <= p_now then
        raise exception 'expires_at (%) is not after now (%)', (p_key).expires_at, p_now
            using errcode = 'SV422', constraint = 'expires_in_future', column = 'expires_at',
            hint = 'Send a later expires_at, or none: the key then does not expire.';
    end if;
end
$$;
comment on function internal.check_key(data.api_key, timestamptz) is
'Refuses a key that cannot be created.
Errors: owner_well_formed, owner_reserved, scopes_known, sources_well_formed, sources_of_ingest, namespace_well_formed,
namespace_of_key, expires_in_future.';
