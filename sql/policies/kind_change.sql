-- Changes of kinds: every process of the service reads them once a second.
call internal.set_default_retention('data.kind_change', '1 hour', '1 hour');
