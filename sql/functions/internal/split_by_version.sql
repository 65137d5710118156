create or replace function internal.split_by_version(p_series json) returns json
language sql stable
begin atomic
    with line as (
        select
            entry.series ->> 'source' as source,
            entry.series -> 'labels' as labels,
            entry.series -> 'points' as points,
            entry.place
        from json_array_elements(p_series) with ordinality as entry (series, place)
    ),

    point as (
        select
            line.place,
            server.name as server,
            version.version,
            each.point,
            (each.point ->> 0)::timestamptz as ts
        from line
        cross join json_array_elements(line.points) as each (point)
        left join data.server on line.source = server.source
        left join data.server_version as version
            on server.server_id = version.server_id and version.valid @> (each.point ->> 0)::timestamptz
    ),

    split as (
        select
            place,
            server,
            version,
            min(ts) as first_at,
            json_agg(point order by ts) as points
        from point
        group by place, server, version
    )

    select
        coalesce(json_agg(
            json_build_object(
                'source', line.source,
                'labels', line.labels,
                'server', split.server,
                'version', split.version,
                'points', split.points
            ) order by line.place, split.server, split.first_at
        ), '[]')
    from split
    inner join line on split.place = line.place;
end;
comment on function internal.split_by_version(json) is
'The series of query_metrics, each split by the versions of the server that its source belongs to. A point
belongs to the version at its beginning; to null where no version was registered then.';
