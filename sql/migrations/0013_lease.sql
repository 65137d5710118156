-- Leases: which process does what only one may do.

create table data.lease (
    name text not null,
    holder text not null,
    expires_at timestamptz not null,
    constraint lease_pkey primary key (name)
) with (fillfactor = 50);
comment on table data.lease is
'Work that one process at a time may do. A row, not an advisory lock: it works behind a pooler that
gives every transaction another session.';
comment on column data.lease.name is 'Name of the work.';
comment on column data.lease.holder is 'Process that does it.';
comment on column data.lease.expires_at is 'Until when, unless it renews the lease.';
