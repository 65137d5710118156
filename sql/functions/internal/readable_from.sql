create or replace function internal.readable_from(p_at timestamptz) returns timestamptz
language sql stable
begin atomic
    select case
        when
            p_at < internal.oldest_chunk('sample')
            and exists (
                select from data.kind_1d
                where bucket = time_bucket(interval '24 hours', p_at)
            )
            then time_bucket(interval '1 hour', p_at + interval '30 minutes')
        else p_at
    end;
end;
comment on function internal.readable_from(timestamptz) is
'p_at, or the nearest hour where samples were dropped and their rollups remain.';
