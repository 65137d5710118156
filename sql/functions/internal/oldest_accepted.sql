create or replace function internal.oldest_accepted(p_now timestamptz) returns timestamptz
language plpgsql stable
as $$
begin
    return greatest(p_now - internal.raw_retention(), internal.samples_kept_from());
end
$$;
comment on function internal.oldest_accepted(timestamptz) is
'Time of the oldest item that ingest accepts: within the retention of samples and facts, and where
no samples were dropped whose rollups are kept.';
