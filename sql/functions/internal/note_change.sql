create or replace function internal.note_change() returns trigger
language plpgsql
as $$
begin
    insert into data.late_hour (kind_id, bucket, samples)
    select distinct
        changed.kind_id,
        time_bucket(interval '1 hour', changed.ts),
        0
    from (values (old.kind_id, old.ts), (new.kind_id, new.ts)) as changed (kind_id, ts)
    where
        changed.ts < internal.late_before(now())
        -- Once for all rows of a statement.
        and not exists (
            select from data.late_hour as noted
            where
                noted.kind_id = changed.kind_id
                and noted.bucket = time_bucket(interval '1 hour', changed.ts)
                and noted.xmin = pg_current_xact_id()::xid
        );
    insert into data.kind_change (kind_id)
    select distinct changed.kind_id
    from (values (old.kind_id), (new.kind_id)) as changed (kind_id)
    where
        changed.kind_id is not null
        and not exists (
            select from data.kind_change as noted
            where noted.xid = pg_current_xact_id() and noted.kind_id = changed.kind_id
        );
    return null;
end
$$;
comment on function internal.note_change() is
'Notes the hours of a sample that somebody changes or deletes in data.late_hour, as ingest does those of late
ones, and its kind in data.kind_change: nothing else makes their rollups again or invalidates answers. The
service itself does neither.';

do $$
begin
    -- Not replaced: chunks have triggers of their own, which TimescaleDB creates with that of the table.
    if not exists (
        select from pg_catalog.pg_trigger
        where tgrelid = 'data.sample'::regclass and tgname = 'changed'
    ) then
        create trigger changed
        after update or delete on data.sample
        for each row execute function internal.note_change();
    end if;
end
$$;
