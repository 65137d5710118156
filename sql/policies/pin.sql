-- Pins: chunks are frozen a week before retention would drop them, or when half of their time is over.
call internal.set_default_job('keep_pins', '1 hour', '{}');
