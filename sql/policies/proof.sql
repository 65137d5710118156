-- Proof: buckets of each rollup that are computed again from samples every night.
call internal.set_default_job('prove', '1 day', '{"buckets": 4}');
