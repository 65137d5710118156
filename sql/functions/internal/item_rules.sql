create or replace function internal.item_rules()
returns table (slug text, field text, detail text)
language sql immutable parallel safe
begin atomic
    select *
    from (
        values
        ('item_is_object', '', 'An item is a JSON object.'),
        ('item_fields_known', '', 'An item has no such field.'),
        (
            'kind_name_well_formed', 'name',
            'A metric name has 1 to 200 characters: a letter or _ first, then letters, digits and _.:/-'
        ),
        (
            'kind_prefix_matches_type', 'name',
            'Names that start with Fact: belong to facts. Send the item to ingest_facts.'
        ),
        (
            'fact_kind_well_formed', 'kind',
            'A fact kind is Fact: and a name of 1 to 100 letters, digits, _ and ., with a letter first.'
        ),
        (
            'source_name_well_formed', 'source',
            'A source is a string of 1 to 200 characters without white space or control characters.'
        ),
        ('source_of_key', 'source', 'The source is not one that the credentials are bound to.'),
        ('labels_well_formed', 'labels', 'labels is an object of strings.'),
        ('kind_type_known', 'type', 'A type is gauge, counter or histogram.'),
        (
            'kind_type_settled', 'type',
            'The value of a histogram is an object, the value of a gauge or counter a number.'
        ),
        (
            'histogram_well_formed', 'value',
            'A histogram is {"bounds": [...], "counts": [...], "sum": number, "count": number}.'
        ),
        (
            'samples_paired', 'value',
            'Several samples are an array of values and an array of as many ts.'
        ),
        ('value_finite', 'value', 'A value is a number between -1e140 and 1e140.'),
        (
            'counter_not_negative', 'value',
            'A counter is never negative. Send what can be negative as a gauge, under another name.'
        ),
        (
            'kind_unit_well_formed', 'unit',
            'A unit is a string of 1 to 50 characters without control characters.'
        ),
        ('kind_unit_settled', 'unit', 'A kind keeps its first unit.'),
        (
            'ts_well_formed', 'ts',
            'A ts is RFC 3339 with an offset, such as "2026-03-01T12:00:00Z", or seconds since 1970.'
        ),
        ('ts_not_in_future', 'ts', 'The ts is more than 5 minutes ahead of the server''s clock.'),
        ('ts_within_retention', 'ts', 'The ts is older than the rows that are kept.'),
        (
            'fact_id_well_formed', 'fact_id',
            'A fact_id is a string of 1 to 200 characters without control characters.'
        ),
        ('subject_well_formed', 'subject', 'A subject is a string of 1 to 500 characters.'),
        ('payload_well_formed', 'payload', 'A payload is an object of at most 64 KiB.'),
        (
            'server_registered', 'server',
            'No server of this name is registered. list_servers (GET /registry/servers) lists all servers.'
        ),
        ('health_status_known', 'status', 'A status is up, degraded or down.'),
        ('latency_in_range', 'latency_ms', 'A latency_ms is a number between 0 and 1e9.'),
        ('detail_well_formed', 'detail', 'A detail is a string of 1 to 1000 characters.'),
        (
            'reporter_well_formed', 'reporter',
            'A reporter is a string of 1 to 200 characters without control characters.'
        )
    ) as rule (slug, field, detail);
end;
comment on function internal.item_rules() is
'The rules of items: slug, field, and the sentence for an item that breaks the rule.';
