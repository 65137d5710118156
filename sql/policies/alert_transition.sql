-- Transitions of alerts: history goes back years.
call internal.set_default_retention('data.alert_transition', '1830 days');
call internal.set_default_columnstore('data.alert_transition', '60 days');
