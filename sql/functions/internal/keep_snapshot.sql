create or replace function internal.keep_snapshot() returns trigger
language plpgsql
as $$
begin
    raise exception 'snapshot "%" is frozen', old.name
        using errcode = 'restrict_violation',
        hint = 'Create another snapshot.';
end
$$;
comment on function internal.keep_snapshot() is
'Refuses to change a snapshot: who cites its hash gets the same bytes for as long as it exists.';

create or replace trigger frozen
before update on data.every_snapshot
for each row execute function internal.keep_snapshot();
