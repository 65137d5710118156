create or replace function internal.readable_from(p_at timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    if p_at < internal.oldest_chunk('sample')
        and exists (
            select from data.kind_1d
            where bucket = time_bucket(interval '24 hours', p_at)
        )
    then
        return time_bucket(interval '1 hour', p_at + interval '30 minutes');
    end if;
    return p_at;
end
$$;
comment on function internal.readable_from(timestamptz) is
'p_at, or the nearest hour where samples were dropped and their rollups remain.';
