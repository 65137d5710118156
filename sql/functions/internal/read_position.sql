create or replace function internal.read_position(
    p_position text,
    out seen pg_snapshot,
    out change bigint,
    out number bigint,
    out at timestamptz
)
language plpgsql immutable
as $$
declare
    c_snapshot constant text := '(\d{1,18}:\d{1,18}:(?:\d{1,18}(?:,\d{1,18})*)?)';
    v_parts constant text [] := regexp_match(
        p_position, '^' || c_snapshot || '/(\d{1,18})/(\d{1,18})/(\d{1,11})$'
    );
    v_good boolean := p_position is null;
begin
    begin
        seen := v_parts[1]::pg_snapshot;
        change := v_parts[2];
        number := v_parts[3];
        at := to_timestamp(v_parts[4]::bigint);
        v_good := v_good or change = 0 or (
            change <= pg_snapshot_xmax(seen)::text::bigint
            and not pg_visible_in_snapshot(change::text::xid8, seen)
        );
    exception
        when invalid_text_representation then v_good := false;
    end;
    if not coalesce(v_good, false) then
        raise exception 'invalid Last-Event-ID "%"', left(p_position, 100)
            using errcode = 'SV422', constraint = 'last_event_id_well_formed', column = 'last_event_id',
            hint = 'Send the id of the last event unchanged, or none to start with what comes next.';
    end if;
end
$$;
comment on function internal.read_position(text) is
'What the reader of a stream has received, as internal.write_position wrote it; null for null. seen: the
transactions of which it has everything; change: one more, of which it has what has a number up to
number, or 0; at: when it had everything that was committed.
Errors: last_event_id_well_formed.';
