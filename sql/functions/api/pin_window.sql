create or replace function api.pin_window(
    p_source text, p_from timestamptz, p_to timestamptz, p_reason text, p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_pin data.pin;
begin
    if (length(p_reason) between 1 and 1000) is not true then
        raise exception 'reason is not a text of 1 to 1000 characters'
            using errcode = 'SV422', constraint = 'reason_in_range', column = 'reason',
            hint = 'Send why the rows are kept as reason.';
    end if;
    -- Also says which source was meant.
    perform internal.find_series('{}', p_source);
    perform internal.check_range(p_from, p_to);
    if not exists (
        select
        from (values ('sample'::name), ('fact')) as relation (name)
        cross join lateral internal.list_chunks(relation.name) as chunk
        where tstzrange(chunk.range_start, chunk.range_end) && tstzrange(p_from, p_to)
    ) then
        raise exception 'no rows of % to % are stored', p_from, p_to
            using errcode = 'SV422', constraint = 'range_stored', column = 'from',
            hint = 'Send a range that still has samples or facts; what was dropped does not come back.';
    end if;
    -- Requests take turns for the last pins of the quota.
    perform pg_advisory_xact_lock(hashtextextended('pin', 0));
    insert into data.pin (source, during, reason, author, pinned_at)
    select p_source, tstzrange(p_from, p_to), p_reason, internal.actor(), p_now
    where not exists (
        select from data.pin
        where source = p_source and during = tstzrange(p_from, p_to)
    );
    perform internal.refuse_over_quota(
        'pins', (select count(*) from data.pin), 'pins', 'Remove those that nobody needs (unpin_window).'
    );
    perform internal.freeze_pinned(p_now);
    select pin.* into strict v_pin
    from data.pin
    where pin.source = p_source and pin.during = tstzrange(p_from, p_to);
    return internal.pin_json(v_pin);
end
$$;
comment on function api.pin_window(text, timestamptz, timestamptz, text, timestamptz) is
'Keeps the samples and facts of a source in [p_from, p_to) past their retention, to be queried as before,
until unpin_window. Whole chunks are kept, a week each, with what other sources have in them. From a week
before they would expire, such chunks accept no more items. The same range again changes nothing. Returns
{id, source, from, to, reason, author, pinned_at}.
Errors: reason_in_range, source_unknown, from_before_to, from_in_range, range_stored, count_within_quota.';
