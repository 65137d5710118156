create or replace function internal.rollups()
returns table (place integer, name name, parent name, width interval)
language sql immutable parallel safe
begin atomic
    select
        place,
        name,
        parent,
        internal.rollup_width(name)
    from (
        values
        (1, 'sample_1h'::name, 'sample'::name),
        (2, 'kind_1h', 'sample_1h'),
        (3, 'sample_1d', 'sample_1h'),
        (4, 'kind_1d', 'kind_1h')
    ) as rollup (place, name, parent);
end;
comment on function internal.rollups() is
'The rollups in the order in which they are refreshed: each after its parent, which it is made of. width is
that of its buckets.';
