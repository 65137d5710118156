create or replace function internal.readable_from(p_at timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    if p_at >= internal.oldest_chunk('sample')
        or not exists (
            select from data.kind_1d
            where bucket = time_bucket(interval '24 hours', p_at)
        )
    then
        return p_at;
    elsif p_at < greatest(internal.oldest_chunk('sample_1h'), internal.oldest_chunk('kind_1h')) then
        return time_bucket(interval '24 hours', p_at + interval '12 hours');
    end if;
    return time_bucket(interval '1 hour', p_at + interval '30 minutes');
end
$$;
comment on function internal.readable_from(timestamptz) is
'p_at, or where samples were dropped and their rollups remain, the nearest hour, or the nearest day where
hours were dropped too.';
