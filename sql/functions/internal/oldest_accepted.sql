create or replace function internal.oldest_accepted(p_now timestamptz, p_relation name) returns timestamptz
language plpgsql stable
as $$
begin
    return greatest(
        p_now - internal.retention(p_relation),
        case
            when p_relation = 'sample' then internal.samples_kept_from()
            else
                greatest(
                    internal.frozen_upto(p_relation),
                    -- Of an older fact, nobody knows whether it was counted already.
                    (
                        select complete.since from data.complete_since as complete
                        where complete.relation = 'fact_identity'
                    )
                )
        end
    );
end
$$;
comment on function internal.oldest_accepted(timestamptz, name) is
'Time of the oldest item that ingest accepts. A metric (sample): within the retention of samples, and where no
samples were dropped whose rollups are kept. A fact: within the retention of facts, after what is pinned, and
where all identities of facts are kept.';
