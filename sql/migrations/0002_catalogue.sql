-- What is known about the things that are measured: kinds, sources, series.

create table data.kind (
    kind_id integer generated always as identity,
    name text not null,
    type text not null,
    unit text,
    created_at timestamptz not null,
    constraint kind_pkey primary key (kind_id),
    constraint kind_name_taken unique (name),
    constraint kind_name_well_formed check (
        name ~ '^[A-Za-z_][A-Za-z0-9_.:/-]*$'
        and length(name) <= 200
        and (type <> 'fact' or (name ~ '^Fact:[A-Za-z][A-Za-z0-9_.]*$' and length(name) <= 105))
    ),
    constraint kind_prefix_matches_type check ((type = 'fact') = starts_with(name, 'Fact:')),
    constraint kind_type_known check (type in ('gauge', 'counter', 'histogram', 'fact')),
    constraint kind_unit_well_formed check (length(unit) between 1 and 50 and unit !~ '[[:cntrl:]]')
);
comment on table data.kind is 'A metric name or a fact kind, entered when first seen.';
comment on column data.kind.kind_id is 'Number of the kind.';
comment on column data.kind.name is 'A metric name, or Fact:<Name>.';
comment on column data.kind.type is 'gauge, counter, histogram or fact; never changes.';
comment on column data.kind.unit is 'Unit of the values, as first stated.';
comment on column data.kind.created_at is 'When the kind was first seen.';

create table data.source (
    source_id integer generated always as identity,
    name text not null,
    created_at timestamptz not null,
    constraint source_pkey primary key (source_id),
    constraint source_name_taken unique (name),
    constraint source_name_well_formed check (
        length(name) between 1 and 200 and name !~ '[[:cntrl:][:space:]]'
    )
);
comment on table data.source is 'An MCP server or agent that sends metrics or facts.';
comment on column data.source.source_id is 'Number of the source.';
comment on column data.source.name is 'Name that the source gives itself.';
comment on column data.source.created_at is 'When the source was first seen.';

create table data.series (
    series_id integer generated always as identity,
    kind_id integer not null,
    source_id integer not null,
    labels jsonb not null,
    -- One key of all three: with three columns a plan may look a series up by its source alone and
    -- compare the labels of each. Labels may also be longer than a btree entry.
    series_key uuid not null generated always as (
        md5(kind_id::text || '/' || source_id::text || labels::text)::uuid
    ) stored,
    created_at timestamptz not null,
    constraint series_pkey primary key (series_id),
    constraint series_once unique (series_key),
    constraint series_of_kind foreign key (kind_id) references data.kind,
    constraint series_of_source foreign key (source_id) references data.source
);
create index series_by_kind on data.series (kind_id);
create index series_by_source on data.series (source_id, created_at);
comment on table data.series is
'One kind from one source with one set of labels; a fact kind has one series per source.';
comment on column data.series.series_id is 'Number of the series.';
comment on column data.series.kind_id is 'Kind that is measured.';
comment on column data.series.source_id is 'Source that sends it.';
comment on column data.series.labels is 'Label names and values, all strings.';
comment on column data.series.series_key is 'MD5 of kind, source and labels.';
comment on column data.series.created_at is 'When the series was first seen.';

create table data.quota (
    name text not null,
    value bigint not null,
    constraint quota_pkey primary key (name),
    constraint quota_positive check (value > 0)
);
comment on table data.quota is 'Limits that a database administrator may change in place.';
comment on column data.quota.name is 'Name of the limit.';
comment on column data.quota.value is 'The limit; its unit stands in the name.';
insert into data.quota (name, value) values ('new_series_per_source_and_hour', 2000);
