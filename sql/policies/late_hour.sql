-- Late hours: read from samples, which is slower, until they are rolled up.
call internal.set_default_job('refresh_late', '1 minute', '{"settle": "1 minute"}');
