create or replace function internal.alert_rule_error(p_condition jsonb) returns text
language sql stable
begin atomic
    with named as (
        select coalesce(p_condition -> 'during', p_condition) as condition
    ),

    part as (
        select
            array[
                condition ->> 'kind',
                condition #>> '{divided_by,kind}',
                p_condition #>> '{after,kind}',
                p_condition ->> 'kind'
            ] as kinds,
            internal.metric_reach(p_condition) as length
        from named
    )

    select
        coalesce(
            (
                select 'The kind ' || min(wanted.name) || ' does not exist.'
                from unnest(part.kinds) as wanted (name)
                where
                    wanted.name is not null
                    and not exists (
                        select from data.kind
                        where kind.name = wanted.name
                    )
            ),
            case
                when part.length > internal.retention('sample_1h')
                    then
                        'It needs metrics of ' || part.length || ', and hourly rollups are kept for '
                        || internal.retention('sample_1h') || '.'
            end
        )
    from part;
end;
comment on function internal.alert_rule_error(jsonb) is
'Why a condition that was good when it was defined cannot be evaluated any more; null where it can.';
