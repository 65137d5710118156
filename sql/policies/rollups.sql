-- Rollups: what is younger than end_offset is read from samples.
call internal.set_default_job('refresh_rollups', '10 minutes', '{"end_offset": "20 minutes"}');
