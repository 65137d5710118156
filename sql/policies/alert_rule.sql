-- Alert rules: evaluated every 15 seconds, those with longer windows less often.
call internal.set_default_job('evaluate_alerts', '15 seconds', '{"rules": 34, "statement_timeout": "5 s"}');
