create or replace function internal.prove_bucket(
    p_rollup name, p_bucket timestamptz, p_now timestamptz
)
returns bigint
language plpgsql
as $$
declare
    v_width constant interval := internal.rollup_width(p_rollup);
    -- What is late is read from samples until it is refreshed.
    v_kinds constant bigint [] := array(
        select kind_id from data.every_kind
        except
        select kind_id from data.late_hour
        where bucket >= p_bucket and bucket < p_bucket + v_width
    );
    v_mismatches bigint;
begin
    execute format(
        $statement$
        with compared as materialized (
            select
                coalesce((expected).kind_id, (found).kind_id) as kind_id,
                coalesce((expected).series_id, (found).series_id) as series_id,
                (expected).observations,
                internal.rollup_json(expected) as expected,
                internal.rollup_json(found) as found,
                internal.agrees(expected, found) as matches
            from (
                select computed::data.rollup as expected
                from internal.%1$s as computed
            ) as samples
            full join (
                select row(rollup.*)::data.rollup as found
                from data.%2$I as rollup
                where rollup.bucket = $1 and rollup.kind_id = any($2)
            ) as rolled_up
                on
                    (expected).kind_id = (found).kind_id
                    and coalesce((expected).series_id, 0) = coalesce((found).series_id, 0)
        ),

        total as (
            select
                count(*) filter (where not matches) as mismatches,
                jsonb_build_object(
                    'rows', count(*), 'observations', coalesce(sum(observations), 0)
                ) as summary
            from compared
        ),

        stored as (
            insert into data.proof (rollup, bucket, kind_id, series_id, expected, found, matches, checked_at)
            select %2$L, $1, null, null, summary, summary, true, $4
            from total
            where mismatches = 0
            union all
            (
                select %2$L, $1, kind_id, series_id, expected, found, false, $4
                from compared
                where not matches
                order by kind_id, series_id
                limit 100
            )
        )

        select mismatches from total
        $statement$,
        case
            when p_rollup like 'kind%' then 'raw_kinds($2, $1, $1 + $3, null, true)'
            else 'raw_rollup($2, $1, $1 + $3, $3, null)'
        end,
        p_rollup
    )
    into v_mismatches
    using p_bucket, v_kinds, v_width, p_now;
    return v_mismatches;
end
$$;
comment on function internal.prove_bucket(name, timestamptz, timestamptz) is
'Computes a bucket of a rollup again from its samples, for all kinds but those that have late samples in it,
and records in data.proof what differs. Returns how many kinds or series do.';
