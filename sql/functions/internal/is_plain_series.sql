create or replace function internal.is_plain_series(
    p_name text,
    p_source text,
    p_labels text,
    p_type text,
    p_unit text,
    p_kind_type text,
    p_kind_unit text,
    p_sources text[]
)
returns boolean
language sql stable
begin atomic
    select
        -- A text that is also a JSON value may have been one.
        p_name is not json
        and p_source is not json
        -- The body may have escaped a comma, which is not counted then.
        and concat(p_name, p_source, p_unit) not like '%,%'
        and (p_sources is null or p_source = any(p_sources))
        and (p_type is null or p_type = p_kind_type)
        and (
            p_unit is null
            or p_kind_unit is not null
            and p_unit like '"%'
            and internal.is_unit(p_unit::json #>> '{}', p_kind_unit)
        )
        and (p_labels is null or p_labels is json with unique keys);
end;
comment on function internal.is_plain_series(text, text, text, text, text, text, text, text[]) is
'Whether name, source, labels, type and unit of an item are what the kind and the sender allow; labels and
unit as the body has them, those of the kind as series_of has them.';
