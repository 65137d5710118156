create or replace function ops.verify_audit(
    p_number bigint default 0,
    p_hash text default null,
    out checked bigint,
    out fault text,
    out fault_number bigint,
    out head_number bigint,
    out head_hash text
)
language sql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
begin atomic
    with
    event as (
        select
            number,
            hash,
            hash <> internal.audit_hash(audit_event.*)
            or number = p_number and encode(hash, 'hex') <> p_hash
            or number = 1 and previous_hash <> '' as unfit,
            coalesce(lag(number) over in_order + 1, greatest(p_number, 1)) as expected,
            previous_hash as former,
            lag(hash) over in_order as before
        from data.audit_event
        where number >= p_number
        window in_order as (order by number, at)
    ),

    judged as (
        select
            number,
            hash,
            case
                when number > expected then expected
                when number < expected or unfit then number
                when former <> before then number - 1
            end as fault_number,
            case
                when number > expected then 'missing'
                when number < expected then 'added'
                -- The event before may fit its own hash, and not the one that this event knows.
                when unfit or former <> before then 'changed'
            end as fault
        from event
    ),

    verified as (
        select
            count(*) as checked,
            coalesce(max(number), greatest(p_number, 1) - 1) as last_number,
            (array_agg(hash order by number desc))[1] as last_hash,
            -- Events without a fault come last.
            (array_agg(fault order by fault_number, fault))[1] as fault,
            min(fault_number) as fault_number
        from judged
    )

    select
        verified.checked,
        coalesce(verified.fault, case
            when head.number is null or head.number > verified.last_number or p_number > head.number
                then 'missing'
            when head.number < verified.last_number then 'added'
            when head.hash <> verified.last_hash then 'changed'
        end),
        case
            when verified.fault is not null then verified.fault_number
            when head.number > verified.last_number then verified.last_number + 1
            when p_number > head.number then p_number
            when head.number < verified.last_number then head.number + 1
            when head.hash <> verified.last_hash then head.number
        end,
        head.number,
        encode(head.hash, 'hex')
    from verified
    left join data.audit_head as head on true;
end;
comment on function ops.verify_audit(bigint, text) is
'Whether the audit is whole: checked, the number of events that were compared with their hashes; fault,
null or what is wrong with the first bad one: changed, missing or added; fault_number, its number;
head_number and head_hash, the last event. Keep these two elsewhere: p_number and p_hash of an earlier call begin with that
event, and show whether it is still the same.';
