-- KPIs and their versions.

create table data.every_kpi (
    kpi_id bigint generated always as identity,
    name text not null,
    created_at timestamptz not null,
    deleted_at timestamptz,
    deleted_by text,
    namespace text not null default internal.namespace(),
    constraint namespace_well_formed check (internal.fits(namespace, 'namespace')),
    constraint kpi_pkey primary key (kpi_id),
    constraint kpi_name_taken unique (namespace, name),
    constraint kpi_name_well_formed check (internal.fits(name, 'identifier')),
    constraint deleted_by_well_formed check (internal.fits(deleted_by, 'owner')),
    constraint deleted_by_someone check ((deleted_at is null) = (deleted_by is null))
);
comment on table data.every_kpi is 'A KPI. What it says is in data.kpi_version.';
comment on column data.every_kpi.kpi_id is 'Number of the KPI.';
comment on column data.every_kpi.name is 'Name of the KPI.';
comment on column data.every_kpi.created_at is 'When it was defined first.';
comment on column data.every_kpi.deleted_at is 'When it was deleted; null while it exists.';
comment on column data.every_kpi.deleted_by is 'Who deleted it; null while it exists.';
comment on column data.every_kpi.namespace is 'Namespace; empty for the default one.';

create view data.kpi with (check_option = cascaded) as
select
    kpi_id,
    name,
    created_at,
    deleted_at,
    deleted_by,
    namespace
from data.every_kpi
where namespace = coalesce(current_setting('supervisor.namespace', true), '');
comment on view data.kpi is 'The KPIs of the namespace that the transaction works in.';

create table data.kpi_version (
    kpi_id bigint not null,
    version integer not null,
    document jsonb not null,
    author text not null,
    valid tstzrange not null,
    constraint kpi_version_pkey primary key (kpi_id, version),
    constraint kpi_version_of_kpi foreign key (kpi_id) references data.every_kpi,
    constraint kpi_version_once exclude using gist (kpi_id with =, valid with &&),
    constraint kpi_version_valid check (
        not isempty(valid) and lower_inc(valid) and not upper_inc(valid)
    ),
    constraint author_well_formed check (internal.fits(author, 'owner'))
);
create unique index kpi_version_present on data.kpi_version (kpi_id) where upper_inf(valid);
comment on table data.kpi_version is
'What a KPI said, and from when until when. A row is never changed but for the end of valid.';
comment on column data.kpi_version.kpi_id is 'KPI.';
comment on column data.kpi_version.version is 'Number of the version: 1, 2 and so on.';
comment on column data.kpi_version.document is 'The KPI, with its defaults; see internal.kpi_schema.';
comment on column data.kpi_version.author is 'Who defined this version.';
comment on column data.kpi_version.valid is 'From its definition until that of the next version.';

insert into data.quota (name, value, used) values
('kpis', 200, null),
('new_versions_per_kpi_and_hour', 100, null);

create type data.kpi_part as (
    kpi_id bigint,
    source text,
    day timestamptz,
    numerator double precision,
    denominator double precision
);
comment on type data.kpi_part is
'What a source adds to the numerator and the denominator of a KPI; day is null for a whole window.';
