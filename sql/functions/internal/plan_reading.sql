create or replace function internal.plan_reading(
    p_last_event_id text,
    p_until text,
    p_now timestamptz,
    out seen pg_snapshot,
    out change bigint,
    out number bigint,
    out at timestamptz,
    out base pg_snapshot,
    out unseen bigint[],
    out from_change bigint,
    out until pg_snapshot,
    out hidden bigint[],
    out to_change bigint,
    out until_position text,
    out is_covered boolean,
    out is_foreign boolean
)
language plpgsql stable
as $$
declare
    v_current constant pg_snapshot := api.get_visibility();
begin
    select * into seen, change, number, at from internal.read_position(p_last_event_id);
    select coalesce(stop.seen, v_current) into until from internal.read_position(p_until) as stop;
    until_position := coalesce(p_until, internal.write_position(until, 0, 0, p_now));
    -- A standby lags behind the server that wrote the position.
    is_foreign := not pg_is_in_recovery() and pg_snapshot_xmax(seen) > pg_snapshot_xmax(v_current);
    if p_last_event_id is null or is_foreign then
        seen := until;
        change := 0;
        number := 0;
    end if;
    base := case
        when change = 0 then seen
        else internal.make_snapshot(
            array_remove(internal.unseen_changes(seen), change),
            greatest(pg_snapshot_xmax(seen)::text::bigint, change + 1)
        )
    end;
    unseen := internal.unseen_changes(base);
    from_change := pg_snapshot_xmax(base)::text::bigint;
    hidden := internal.unseen_changes(until);
    to_change := pg_snapshot_xmax(until)::text::bigint;
    is_covered := from_change <= to_change and not exists (
        select
        from unnest(hidden) as still
        where pg_visible_in_snapshot(still::text::xid8, base)
    );
end
$$;
comment on function internal.plan_reading(text, text, timestamptz) is
'Which transactions the reader of a stream lacks that has received p_last_event_id and reads what p_until
sees, by default all that is committed: the rest of change after number, then those of unseen and those
from from_change on, each before to_change and not of hidden. base is seen and change; is_covered says
that p_until sees all of it, and is_foreign that the position is of another database, or of a later
state of this one.
Errors: last_event_id_well_formed.';
