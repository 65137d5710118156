create or replace function internal.probed_remotes(p_document jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select jsonb_agg(jsonb_build_object('type', remote.type, 'url', remote.url) order by remote.place)
    from (
        select
            listed.remote ->> 'type' as type,
            listed.remote ->> 'url' as url,
            listed.place
        from
            jsonb_array_elements(
                case jsonb_typeof(p_document -> 'remotes')
                    when 'array' then p_document -> 'remotes'
                    else '[]'
                end
            ) with ordinality as listed (remote, place)
        where
            listed.remote ->> 'type' in ('streamable-http', 'sse')
            -- Neither {placeholders}, <placeholders> nor credentials.
            and listed.remote ->> 'url'
            ~ '^https?://(\[[0-9A-Fa-f:.]+\]|[^][/?#@[:space:]{}<>]+)(:[0-9]+)?([/?#][^[:space:]{}<>]*)?$'
        order by listed.place
        limit 8
    ) as remote;
end;
comment on function internal.probed_remotes(jsonb) is
'The remotes of a server.json that can be asked, at most 8: [{type, url}, ...]; null for none. A URL with a
placeholder such as {tenant} or <YOUR_TOKEN>, or with credentials, cannot be asked.';
