create or replace function internal.restate_sla(
    p_id text, p_author text, p_reason text, p_before jsonb, p_now timestamptz
)
returns bigint
language sql
begin atomic
    with former as (
        select *
        from data.maintenance
        where maintenance_id = p_id and upper(recorded) = p_now
    ),

    planned as (
        select *
        from data.maintenance
        where maintenance_id = p_id and lower(recorded) = p_now
    ),

    change as (
        select
            coalesce(former.server_id, planned.server_id) as server_id,
            (
                coalesce(tstzmultirange(former.during), '{}')
                + coalesce(tstzmultirange(planned.during), '{}')
                - coalesce(tstzmultirange(former.during), '{}')
                * coalesce(tstzmultirange(planned.during), '{}')
            ) * tstzmultirange(tstzrange(null, p_now)) as during
        from former
        full join planned on former.server_id = planned.server_id
    ),

    touched as (
        select *
        from change
        where not isempty(during)
    ),

    published as (
        select *
        from internal.published_sla(
            array(
                select server_id
                from change
                where not isempty(during)
            ),
            p_now
        )
    ),

    written as (
        insert into data.sla_restatement (
            server_id, maintenance_id, during, author, reason, before, after, restated_at
        )
        select
            touched.server_id,
            p_id,
            range_merge(touched.during),
            p_author,
            p_reason,
            coalesce(p_before -> touched.server_id::text, '{}'),
            coalesce(published.figures, '{}'),
            p_now
        from touched
        left join published on touched.server_id = published.server_id
        returning sla_restatement_id
    )

    select count(*) from written;
end;
comment on function internal.restate_sla(text, text, text, jsonb, timestamptz) is
'Writes a restatement for each server for which a change of a maintenance window at p_now changed time
that had passed; p_before has their figures before it by the number of the server. Returns how many.';
