-- Recent hours: what is younger than end_offset is read from samples.
call internal.set_default_job('refresh_recent', '2 minutes', '{"end_offset": "2 minutes"}');
