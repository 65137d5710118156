create or replace function internal.source_hint(p_kind text) returns text
language sql immutable parallel safe
begin atomic
    select
        'The source has not sent this kind. query_agg (GET /query/agg) with kind='
        || p_kind || ' and group_by=source lists its sources.';
end;
comment on function internal.source_hint(text) is
'What to ask where a source has sent nothing of a kind.';
