-- Conflicts: kept long enough to ask the source about them.
call internal.set_default_retention('data.conflict', '90 days');
