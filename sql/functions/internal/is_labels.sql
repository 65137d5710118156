create or replace function internal.is_labels(p_labels jsonb) returns boolean
language sql immutable parallel safe
begin atomic
    select case jsonb_typeof(p_labels)
        when 'object'
            then (
                select
                    count(*) <= 32
                    and coalesce(bool_and(
                        key ~ '^[A-Za-z_][A-Za-z0-9_.]*$'
                        and length(key) <= 100
                        and jsonb_typeof(value) = 'string'
                        and length(value #>> '{}') <= 500
                    ), true)
                from jsonb_each(p_labels)
            )
        else coalesce(p_labels, 'null') = 'null'
    end;
end;
comment on function internal.is_labels(jsonb) is
'Whether this is a map of at most 32 label names to strings of at most 500 characters, or absent.';
