-- Idempotency keys: kept longer than any client retries.
call internal.set_default_job('prune', '1 day', '{"idempotency_keys": "7 days"}');
