create or replace function internal.retention_needs(p_relation text, p_drop_after interval)
returns table (needed_by text, needed interval, reason text)
language sql stable
begin atomic
    with relation as (
        select regexp_replace(p_relation, '^data[.]', '')::name as name
    ),

    job as (
        select
            policy,
            config
        from ops.policies
        where policy in ('refresh_rollups', 'refresh_late', 'snapshot_aggregates')
    ),

    need as (
        -- What a rollup is made of must be there until it is made,
        select
            'refresh' as needed_by,
            interval '2 days' + coalesce(
                max((config ->> 'end_offset')::interval), interval '0'
            ) + 10 * coalesce(max((config ->> 'settle')::interval), interval '0') as needed,
            'A day is rolled up when it is over and no late samples come any more.' as reason
        from job
        cross join relation
        where relation.name in (select parent from internal.rollups())
        having count(*) > 0
        union all
        -- and hours are what windows are answered from at both ends, days between them.
        select
            'data.' || finer.name,
            internal.retention(finer.name),
            'Keep ' || p_relation || ' at least as long as data.' || finer.name
            || ', or shorten the retention of data.' || finer.name || ' first.'
        from relation
        inner join (
            values
            ('sample_1h'::name, 'sample'::name),
            ('kind_1h', 'sample'),
            ('sample_1d', 'sample_1h'),
            ('kind_1d', 'kind_1h')
        ) as finer (coarser, name) on relation.name = finer.coarser
        union all
        select
            'data.' || coarser.name,
            case when p_drop_after > internal.retention(coarser.name) then interval '1000 years' end,
            'Raise the retention of data.' || coarser.name || ' first: rollups outlive what they are made of.'
        from relation
        inner join (
            values
            ('sample'::name, 'sample_1h'::name),
            ('sample', 'kind_1h'),
            ('sample_1h', 'sample_1d'),
            ('kind_1h', 'kind_1d')
        ) as coarser (finer, name) on relation.name = coarser.finer
        union all
        select
            'snapshot_aggregates',
            max(internal.parse_window(asked.name)),
            'The job snapshot_aggregates asks for windows of up to '
            || max(internal.parse_window(asked.name)) || '.'
        from job
        cross join relation
        cross join lateral jsonb_array_elements_text(job.config -> 'windows') as asked (name)
        where
            job.policy = 'snapshot_aggregates'
            and relation.name in (
                select name from internal.rollups()
                union all
                select 'sample'
            )
        union all
        select
            'alert rule ' || rule.name,
            internal.metric_reach(version.document -> 'condition'),
            'Its condition looks back ' || internal.metric_reach(version.document -> 'condition') || '.'
        from data.every_alert_rule as rule
        inner join data.alert_rule_version as version
            on rule.rule_id = version.rule_id and upper_inf(version.valid)
        cross join relation
        where
            rule.deleted_at is null
            and relation.name in ('sample', 'sample_1h', 'kind_1h')
    )

    select
        need.needed_by,
        need.needed,
        need.reason
    from need
    where need.needed > p_drop_after;
end;
comment on function internal.retention_needs(text, interval) is
'What needs the rows of a relation for longer than p_drop_after: how long, and why. A need of 1000 years is a
rollup that would be dropped before what it is made of.';
