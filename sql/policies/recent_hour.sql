-- Recent hours: what is younger than end_offset is read from samples, as are kinds with few samples.
call internal.set_default_job(
    'refresh_recent', '2 minutes', '{"end_offset": "2 minutes", "min_samples": 1000, "samples_per_row": 20}'
);
