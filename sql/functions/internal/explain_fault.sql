create or replace function internal.explain_fault(p_slug text, p_item jsonb)
returns table (field text, detail text)
language sql stable
begin atomic
    -- A bad batch asks 10,000 times: only the sentences that need the item look at it.
    select
        case p_slug
            when 'item_fields_known'
                then (
                    select min(key)
                    from jsonb_object_keys(p_item) as key
                    where key <> all(case
                        when p_item ? 'kind' then '{kind,source,fact_id,subject,ts,value,payload}'::text[]
                        else '{name,source,value,ts,labels,type,unit}'::text[]
                    end)
                )
            else rule.field
        end,
        case p_slug
            when 'kind_type_settled'
                then
                    coalesce(
                        (
                            select
                                'The kind is a '
                                || kind.type
                                || '; a kind keeps the type it was first sent with.'
                            from data.kind
                            where kind.name = p_item ->> 'name'
                        ),
                        rule.detail
                    )
            when 'histogram_well_formed' then (internal.read_histogram(p_item -> 'value')).fault
            when 'ts_within_retention' then rule.detail || (select internal.raw_retention()) || '.'
            else rule.detail
        end
    from (
        values
        ('item_is_object', '', 'An item is a JSON object.'),
        ('item_fields_known', '', 'An item has no such field; see the list in the documentation of ingest.'),
        (
            'kind_name_well_formed', 'name',
            'A metric name has 1 to 200 characters: a letter or _ first, then letters, digits and _.:/- .'
        ),
        ('kind_prefix_matches_type', 'name', 'Names that start with Fact: are kinds of facts.'),
        (
            'fact_kind_well_formed', 'kind',
            'A fact kind is Fact: and a name of 1 to 100 letters, digits, _ and ., a letter first.'
        ),
        (
            'source_name_well_formed', 'source',
            'A source is a string of 1 to 200 characters without white space.'
        ),
        (
            'labels_well_formed', 'labels',
            'Labels are at most 32 names (letters, digits, _ and .) with strings of at most 500 characters.'
        ),
        ('kind_type_known', 'type', 'A type is gauge, counter or histogram.'),
        (
            'kind_type_settled', 'type',
            'The value of a histogram is an object, that of a gauge or a counter a number.'
        ),
        ('histogram_well_formed', 'value', ''),
        ('value_finite', 'value', 'A value is a finite number of at most 1e140 in size.'),
        ('kind_unit_well_formed', 'unit', 'A unit is a string of 1 to 50 characters.'),
        ('ts_well_formed', 'ts', 'An instant is RFC 3339 with its offset, or epoch seconds.'),
        ('ts_not_in_future', 'ts', 'The instant is more than 5 minutes ahead of the server.'),
        ('ts_within_retention', 'ts', 'The instant is older than what is kept: '),
        ('fact_id_well_formed', 'fact_id', 'A fact_id is a string of 1 to 200 characters.'),
        ('subject_well_formed', 'subject', 'A subject is a string of 1 to 500 characters.'),
        ('payload_well_formed', 'payload', 'A payload is an object of at most 64 KiB.')
    ) as rule (slug, field, detail)
    where rule.slug = p_slug;
end;
comment on function internal.explain_fault(text, jsonb) is
'Field and sentence for a rule that an item breaks.';
