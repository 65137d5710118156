create or replace function internal.suppressed_alerts(p_now timestamptz)
returns table (fingerprint text, silenced_by text[], inhibited_by text[], maintenance text[])
language sql stable
begin atomic
    with firing as materialized (
        select
            alert.fingerprint,
            alert.labels,
            alert.fired_at,
            alert.labels ->> 'source' as source,
            alert.labels ->> 'server' as server,
            array_position('{critical,warning,info}', alert.labels ->> 'severity') as rank
        from data.alert
        where alert.state = 'firing'
    ),

    silence as materialized (
        select
            silence.silence_id,
            internal.matchers_path(silence.matchers) as path,
            matcher.name,
            matcher.value,
            matcher.operator = '=' and matcher.value <> '' as is_equality,
            internal.matchers_path(jsonb_build_array(to_jsonb(matcher))) as first_path
        from data.silence
        cross join
            lateral (
                select
                    sent.name,
                    sent.operator,
                    sent.value
                from jsonb_to_recordset(silence.matchers) as sent (name text, operator text, value text)
                order by (sent.operator = '=' and sent.value <> '') desc
                limit 1
            ) as matcher
        where silence.during @> p_now and coalesce(silence.cancelled_at > p_now, true)
    ),

    used as (
        select distinct silence.name from silence
    ),

    -- Alerts are many, and have sources and servers in common: the first matcher of a silence, an
    -- equality where it has one, is compared with each value of its label once. Arrays leave the
    -- planner, which does not know how many there are, no wrong join to choose.
    label as materialized (
        select
            used.name,
            firing.labels ->> used.name as value,
            jsonb_strip_nulls(jsonb_build_object(used.name, firing.labels -> used.name)) as alone,
            array_agg(firing.fingerprint) as fingerprints,
            array_agg(firing.labels) as labels
        from firing
        cross join used
        group by used.name, firing.labels -> used.name, firing.labels ->> used.name
    ),

    hit as (
        select
            silence.silence_id,
            silence.path,
            label.fingerprints,
            label.labels
        from silence
        inner join label on silence.name = label.name and silence.value = label.value
        where silence.is_equality
        union all
        select
            silence.silence_id,
            silence.path,
            matched.fingerprints,
            matched.labels
        from silence
        -- All values for one silence after the other: its expressions stay compiled meanwhile.
        cross join
            lateral (
                select
                    label.fingerprints,
                    label.labels
                from label
                where label.name = silence.name and label.alone @@ silence.first_path
                offset 0 -- noqa: AM09
            ) as matched
        where not silence.is_equality
    ),

    -- What an alert is about; the source of its server is the same thing, but not two servers with
    -- one source.
    subject as materialized (
        select
            firing.fingerprint,
            firing.rank,
            firing.fired_at,
            thing.name,
            thing.derived
        from firing
        left join data.server on firing.server = server.name
        cross join
            lateral (
                values
                ('server ' || firing.server, false),
                ('source ' || firing.source, false),
                ('source ' || server.source, true)
            ) as thing (name, derived)
        where thing.name is not null
    ),

    -- One of each severity: thousands of alerts about one thing would inhibit each other in pairs.
    inhibitor as (
        select distinct on (name, derived, rank) *
        from subject
        order by name, derived, rank, fired_at, fingerprint
    ),

    maintained as (
        select
            server.name,
            server.source,
            maintenance.maintenance_id
        from data.maintenance
        inner join data.server on maintenance.server_id = server.server_id
        where maintenance.during @> p_now and maintenance.recorded @> p_now
    ),

    reason (fingerprint, silence_id, inhibitor, maintenance_id) as (
        select
            alert.fingerprint,
            hit.silence_id,
            null,
            null
        from hit
        cross join unnest(hit.fingerprints, hit.labels) as alert (fingerprint, labels)
        where alert.labels @@ hit.path
        union all
        select
            subject.fingerprint,
            null,
            inhibitor.fingerprint as inhibitor,
            null
        from subject
        inner join inhibitor
            on
                subject.name = inhibitor.name
                and subject.rank > inhibitor.rank
                and not (subject.derived and inhibitor.derived)
        union all
        select
            firing.fingerprint,
            null,
            null,
            maintained.maintenance_id
        from firing
        inner join maintained on firing.server = maintained.name or firing.source = maintained.source
    )

    select
        reason.fingerprint,
        coalesce(
            array_agg(reason.silence_id order by reason.silence_id) filter (
                where reason.silence_id is not null
            ),
            '{}'
        ),
        coalesce(array_agg(distinct reason.inhibitor) filter (where reason.inhibitor is not null), '{}'),
        coalesce(
            array_agg(distinct reason.maintenance_id) filter (where reason.maintenance_id is not null), '{}'
        )
    from reason
    group by reason.fingerprint;
end;
comment on function internal.suppressed_alerts(timestamptz) is
'The firing alerts that notify nobody, and why. silenced_by has the silences in force that match.
inhibited_by has alerts of a higher severity about the same source or server, of each severity the one
that has been firing longest; the source of a server is the same as the server. maintenance has the
windows in force of its server, or of a server with its source.';
