create or replace function internal.sampled_from(p_now timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    return greatest(
        -- Start of the oldest chunk that does not expire yet.
        time_bucket(
            internal.chunk_interval('sample'),
            p_now - internal.retention('sample'),
            timestamptz '1970-01-01 00:00:00+00'
        ),
        internal.samples_kept_from()
    );
end
$$;
comment on function internal.sampled_from(timestamptz) is
'Start of the time in which a fact also adds a sample. The days before it count facts at once, because no
refresh reaches them.';
