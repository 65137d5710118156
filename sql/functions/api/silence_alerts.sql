create or replace function api.silence_alerts(
    p_id text,
    p_matchers jsonb,
    p_from timestamptz,
    p_to timestamptz,
    p_author text,
    p_comment text,
    p_cancelled boolean,
    p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_before data.silence;
    v_after data.silence;
    v_known boolean;
    v_from timestamptz;
    v_comment text;
begin
    -- Requests for silences take turns: for one of them, and for the last ones of the quota.
    perform pg_advisory_xact_lock(hashtextextended('silence', 0));
    select * into v_before
    from data.silence
    where silence_id = p_id;
    v_known := found;
    v_comment := coalesce(p_comment, case when p_cancelled then v_before.comment end);
    if p_cancelled and not v_known then
        raise exception 'unknown silence "%"', left(p_id, 200)
            using errcode = 'SV404', constraint = 'silence_unknown', column = 'id',
            hint = 'list_silences (GET /alerts/silences) lists the silences.';
    end if;
    perform internal.check_silence(
        p_id, p_author, v_comment,
        case when v_known or p_cancelled then p_matchers else coalesce(p_matchers, '[]') end
    );
    v_after := v_before;
    v_after.author := p_author;
    v_after.comment := v_comment;
    if p_cancelled then
        v_after.cancelled_at := coalesce(v_before.cancelled_at, p_now);
    else
        v_after.namespace := internal.namespace();
        v_after.silence_id := p_id;
        v_after.matchers := coalesce(p_matchers, v_before.matchers);
        if p_to is null then
            raise exception 'the silence has no end'
                using errcode = 'SV422', constraint = 'silence_closed', column = 'to',
                hint = 'Send the end of the silence as to.';
        end if;
        v_from := coalesce(
            p_from,
            -- One that has ended starts again, unless this is a repeated request.
            case
                when v_before.cancelled_at is null and (upper(v_before.during) > p_now or p_to <= p_now)
                    then lower(v_before.during)
            end,
            p_now
        );
        perform internal.check_range(v_from, p_to);
        v_after.during := tstzrange(v_from, p_to);
        v_after.cancelled_at := null;
    end if;

    if v_after is distinct from v_before then
        v_after.created_at := coalesce(v_before.created_at, p_now);
        v_after.updated_at := p_now;
        insert into data.silence select v_after.*
        on conflict (namespace, silence_id) do update set
        matchers = excluded.matchers,
        during = excluded.during,
        author = excluded.author,
        comment = excluded.comment,
        updated_at = excluded.updated_at,
        cancelled_at = excluded.cancelled_at;
        insert into data.silence_version (
            silence_id, version, matchers, during, cancelled, author, comment, changed_at
        )
        select
            p_id,
            1 + coalesce(max(version), 0),
            v_after.matchers,
            v_after.during,
            v_after.cancelled_at is not null,
            p_author,
            v_after.comment,
            p_now
        from data.silence_version
        where silence_id = p_id;
        perform internal.refuse_over_quota(
            'silences',
            (
                select count(*) from data.silence
                where upper(during) > p_now and cancelled_at is null
            ),
            'silences that have not ended',
            'Cancel some, or silence more alerts with one, by a regular expression.'
        );
        perform internal.refuse_over_quota(
            'new_versions_of_silences_per_hour',
            (
                select count(*) from data.silence_version
                where changed_at > p_now - interval '1 hour'
            ),
            'new versions of silences in an hour',
            'Change a silence when its content changes, not at every call, or continue in an hour.'
        );
    end if;
    return internal.join_json(
        internal.silence_json(v_after, p_now),
        (
            select
                json_build_object(
                    'changed', v_after is distinct from v_before,
                    'alerts', count(*),
                    'hint', internal.label_hint(
                        array(select jsonb_array_elements(v_after.matchers) ->> 'name')
                    )
                )
            from data.alert
            where labels @@ internal.matchers_path(v_after.matchers)
        )
    );
end
$$;
comment on function api.silence_alerts(
    text, jsonb, timestamptz, timestamptz, text, text, boolean, timestamptz
) is
'Silences the alerts whose labels match all of p_matchers [{name, operator, value}] in [p_from, p_to), or
changes or cancels the silence p_id. Operators are =, !=, =~ and !~; a regular expression matches the
whole value; a label that is missing has the value ''''. Without p_from, the silence starts now, or when
it started before; without p_matchers, it keeps those that it has. With p_cancelled, it ends now; only
p_author is needed then, and the comment stays without p_comment. The same content again changes nothing.
Returns {id, status, matchers, from, to, author, comment, updated_at, changed, alerts, hint}; alerts is how
many active alerts match, and hint says which labels no alert and no rule has.
Errors: silence_id_well_formed, author_well_formed, comment_in_range, document_refused,
silence_closed, from_before_to, silence_unknown, count_within_quota.';
