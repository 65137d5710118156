create or replace function internal.subscription_faults(p_name text, p_document jsonb) returns jsonb
language plpgsql stable
as $$
declare
    v_schema constant jsonb := internal.subscription_schema();
    v_faults jsonb;
begin
    with fault as (
        select
            fault.field,
            fault.slug,
            case
                -- These may contain a secret, which no answer repeats.
                when fault.field = 'secret'
                    then 'Send whsec_ and the base64 of 24 to 64 random bytes, or leave it out.'
                when fault.field = 'url' and fault.slug = 'field_well_formed'
                    then v_schema #>> '{properties,url,$comment}'
                else fault.detail
            end
        from internal.document_faults(p_name, p_document, v_schema) as fault
        union all
        select
            'url',
            'host_well_formed',
            'Send an IPv6 address between the brackets, such as http://[2001:db8::1]:9093.'
        from substring(p_document ->> 'url' from '^https?://\[([^]/?#]*)\]') as host
        -- An IPv4 address within it has four parts; inet takes fewer.
        where not pg_input_is_valid(host, 'inet') or host ~ '[.]' and host !~ ':([0-9]+[.]){3}[0-9]+$'
        union all
        select
            'alerts',
            'alerts_or_facts',
            'Send alerts, facts or both: {} for all of them.'
        where jsonb_typeof(p_document) = 'object' and not p_document ?| '{alerts,facts}'
        union all
        select
            member.name,
            'field_applies',
            'An Alertmanager takes alerts only, unsigned. Leave the field out, or send type webhook.'
        from unnest('{facts,secret}'::text []) as member (name)
        where p_document ->> 'type' = 'alertmanager' and p_document ? member.name
        union all
        select *
        from internal.matcher_faults(p_document #> '{alerts,matchers}', 'alerts.matchers')
        where jsonb_typeof(p_document #> '{alerts,matchers}') = 'array'
    )
    select
        jsonb_agg(
            jsonb_build_object('field', field, 'slug', slug, 'detail', detail)
            order by field collate "C", slug
        )
    into v_faults
    from (select distinct * from fault) as found;
    return v_faults;
end
$$;
comment on function internal.subscription_faults(text, jsonb) is
'The rules that a document of subscribe breaks: [{field, slug, detail}]; null for a good one.';
