create or replace function internal.bound_sources() returns text[]
language sql stable
begin atomic
    -- No name of a source contains a line feed; an empty text is any source.
    select nullif(string_to_array(current_setting('supervisor.sources', true), chr(10)), '{}');
end;
comment on function internal.bound_sources() is
'The only sources that the sender of the request may write as; null for any.';
