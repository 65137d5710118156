create or replace function internal.silence_versions_json(p_id text) returns json
language sql stable
begin atomic
    with document as (
        select
            version,
            author,
            comment,
            changed_at,
            jsonb_build_object(
                'matchers', matchers, 'from', lower(during), 'to', upper(during), 'cancelled', cancelled
            ) as said
        from data.silence_version
        where silence_id = p_id
        order by version desc
        -- One more than is shown, for what the last one changed.
        limit 21
    )

    select
        coalesce(
            json_agg(
                json_build_object(
                    'version', newest.version,
                    'author', newest.author,
                    'comment', newest.comment,
                    'at', newest.changed_at,
                    'changes', case
                        when former.version is null then '[]'
                        else internal.document_changes(former.said, newest.said)
                    end
                )
                order by newest.version desc
            ),
            '[]'
        )
    from (
        select * from document
        order by version desc
        limit 20
    ) as newest
    left join document as former on newest.version = former.version + 1;
end;
comment on function internal.silence_versions_json(text) is
'The newest 20 versions of a silence, the newest first: [{version, author, comment, at, changes}]. changes are
the differences to the version before: [{field, before, after}] of matchers, from, to and cancelled.';
