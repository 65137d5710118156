create or replace function internal.restatements_json(
    p_server bigint, p_from timestamptz, p_to timestamptz, p_as_of timestamptz
)
returns json
language sql stable
begin atomic
    select
        coalesce(json_agg(
            json_build_object(
                'maintenance', recent.maintenance_id,
                'from', lower(recent.during),
                'to', upper(recent.during),
                'author', recent.author,
                'reason', recent.reason,
                'restated_at', recent.restated_at,
                'before', recent.before,
                'after', recent.after
            ) order by recent.restated_at desc, recent.sla_restatement_id desc
        ), '[]')
    from (
        select *
        from data.sla_restatement
        where
            server_id = p_server
            and during && tstzrange(p_from, p_to)
            and restated_at <= p_as_of
        order by restated_at desc, sla_restatement_id desc
        limit 100
    ) as recent;
end;
comment on function internal.restatements_json(
    bigint, timestamptz, timestamptz, timestamptz
) is 'The newest 100 restatements of a server that changed numbers of a range, the last one first.';
