create or replace function internal.raw_retention() returns interval
language sql stable
begin atomic
    select least(internal.retention('sample'), internal.retention('fact'));
end;
comment on function internal.raw_retention() is
'How long samples and facts are kept: the shorter of their retention policies.';
