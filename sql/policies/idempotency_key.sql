-- Idempotency keys: kept longer than any client retries. Conflicts: long enough to ask the source.
-- Restatements and proofs: as long as as_of reaches back.
-- Deliveries: long enough to see why one failed. Intervals of health: as long as daily aggregates.
call internal.set_default_job(
    'prune', '1 day',
    '{
        "idempotency_keys": "7 days",
        "conflicts": "90 days",
        "restatements": "400 days",
        "proofs": "400 days",
        "health_intervals": "1830 days",
        "deliveries": "7 days"
    }'
);
