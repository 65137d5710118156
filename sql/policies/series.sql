-- Series, kinds and sources: deleted a day after they were registered when nothing is stored for them.
call internal.set_default_job('prune_catalogue', '1 day', '{"grace": "1 day"}');
