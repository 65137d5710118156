create or replace function internal.unasked_remotes(p_document jsonb) returns text
language sql immutable parallel safe
begin atomic
    select
        string_agg(
            split_part(remote.url, '?', 1) || ': not asked, the URL has variables', '; ' order by remote.place
        )
    from (
        select
            listed.remote ->> 'url' as url,
            listed.place
        from
            jsonb_array_elements(
                case jsonb_typeof(p_document -> 'remotes')
                    when 'array' then p_document -> 'remotes'
                    else '[]'
                end
            ) with ordinality as listed (remote, place)
        where listed.remote ->> 'url' ~ '[{}<>]'
        order by listed.place
        limit 8
    ) as remote;
end;
comment on function internal.unasked_remotes(jsonb) is
'The remotes of a server.json that cannot be asked as they are, at most 8, with the reason; null for none.';
