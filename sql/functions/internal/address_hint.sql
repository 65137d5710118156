create or replace function internal.address_hint(p_url text) returns text
language sql immutable
begin atomic
    with reserved as (
        select
            unnest(
                '{0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,168.63.129.16/32,169.254.0.0/16,
                172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,
                203.0.113.0/24,224.0.0.0/4,240.0.0.0/4,2001::/23,2001:db8::/32,2002::/16,3fff::/20}'::cidr[]
            ) as network
    ),

    written as (
        select coalesce(parts[1], parts[2]) as host
        from regexp_match(p_url, '^https?://(?:\[([^]]*)\]|([^/?#:]*))') as parts
    ),

    -- An IPv4 address within an IPv6 one is the one that is reached.
    reached as materialized (
        select
            host,
            case
                when host::inet << '::ffff:0:0/96' or host::inet << '64:ff9b::/96'
                    then '0.0.0.0'::inet + (host::inet - host(network(set_masklen(host::inet, 96)))::inet)
                else host::inet
            end as address
        from written
        where case when host ~ '^[0-9.]+$|:' then pg_input_is_valid(host, 'inet') end
    )

    select
        'The address ' || host || ' is not public: nothing is sent there unless'
        || ' SUPERVISOR_DELIVERY_ALLOWED covers it.'
    from reached
    where
        exists (
            select from reserved
            where network_subeq(reached.address, reserved.network)
        )
        or (family(reached.address) = 6 and not network_subeq(reached.address, '2000::/3'));
end;
comment on function internal.address_hint(text) is
'What to know where the host of a URL is an address that is not public; null for others and for names. The
networks are those of background/addresses.py, which a test compares.';
