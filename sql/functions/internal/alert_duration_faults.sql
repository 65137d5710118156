create or replace function internal.alert_duration_faults(p_document jsonb)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    with pair as (
        select
            format('condition.pairs[%s].', element.n - 1) as path,
            element.value ->> 'short' as short,
            element.value ->> 'long' as long
        from jsonb_array_elements(
            case
                when jsonb_typeof(p_document #> '{condition,pairs}') = 'array'
                    then p_document #> '{condition,pairs}'
            end
        ) with ordinality as element (value, n)
    ),

    sent (field, value, least) as (
        values
        ('for', p_document ->> 'for', '0s'),
        ('keep_firing_for', p_document ->> 'keep_firing_for', '0s'),
        ('condition.window', p_document #>> '{condition,window}', '1m'),
        ('condition.within', p_document #>> '{condition,within}', '1s'),
        ('condition.during.window', p_document #>> '{condition,during,window}', '1m')
        union all
        select
            pair.path || length.name,
            length.value,
            '1m'
        from pair
        cross join lateral (values ('short', pair.short), ('long', pair.long)) as length (name, value)
    ),

    duration as (
        select
            sent.*,
            sent.value::interval as length
        from sent
        where internal.fits(sent.value, 'duration')
    ),

    -- What is computed from metrics, and over which time in all.
    measured as (
        select
            duration.*,
            duration.length * case
                when
                    coalesce(p_document #> '{condition,during}', p_document -> 'condition') ->> 'compare'
                    = 'change'
                    then 2
                else 1
            end as total
        from duration
        where
            duration.field = 'condition.during.window'
            or duration.field = 'condition.window' and p_document #>> '{condition,type}' = 'metric'
            or duration.field like 'condition.pairs%' and p_document -> 'condition' ? 'kind'
    )

    select
        field,
        'duration_in_range',
        format('The duration is %s. Send %s to 30d.', value, least)
    from duration
    where length not between least::interval and '30 days'
    union all
    select
        pair.path || 'short',
        'windows_ordered',
        format(
            'The short window is %s and the long one %s. Send a shorter one than the long one.',
            pair.short, pair.long
        )
    from pair
    where
        case
            when internal.fits(pair.short, 'duration') and internal.fits(pair.long, 'duration')
                then pair.short::interval >= pair.long::interval
        end
    union all
    select
        field,
        'window_within_retention',
        format(
            'The rule needs metrics of %s, and hourly rollups are kept for %s. Send a shorter window, or'
            ' raise the retention policy of data.sample_1h.',
            total, internal.retention('sample_1h')
        )
    from measured
    where total > internal.retention('sample_1h');
end;
comment on function internal.alert_duration_faults(jsonb) is
'What is wrong with the lengths of time in a rule: out of range, in the wrong order, longer than data is
kept.';
