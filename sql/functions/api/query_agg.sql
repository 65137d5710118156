create or replace function api.query_agg(
    p_kind text,
    p_window text,
    p_source text,
    p_group_by text,
    p_fields text[],
    p_as_of timestamptz,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_kinds constant bigint [] := internal.find_kinds(p_kind);
    v_named constant text [] := internal.read_fields(p_fields);
    -- Who asks for groups wants to see them.
    v_fields constant text [] := case
        when p_group_by is null then v_named
        when v_named is not null then v_named || '{groups}'::text[]
    end;
    v_series bigint [];
    v_answer json;
begin
    if p_as_of is not null then
        perform internal.check_as_of(p_as_of, p_now);
        return internal.recall_agg(v_kinds, p_kind, p_window, p_source, p_group_by, v_fields, p_as_of);
    end if;
    if not internal.fits(p_group_by, 'group_by') then
        raise exception 'invalid group_by "%"', left(p_group_by, 100)
            using errcode = 'SV422', constraint = 'group_by_well_formed', column = 'group_by',
            hint = case
                when internal.fits('label.' || p_group_by, 'group_by')
                    then internal.suggestion('label.' || p_group_by)
                else ''
            end || 'Send source or label.<name>.';
    end if;
    if p_source is not null then
        v_series := internal.find_series(v_kinds, p_source);
    end if;
    return internal.present_agg(
        p_kind, p_window,
        array(
            select member.answer
            from internal.answer_agg(v_kinds, v_series, p_window, p_group_by, v_fields, p_now) as member
            order by member.kind
        ),
        p_now
    );
end
$$;
comment on function api.query_agg(text, text, text, text, text[], timestamptz, timestamptz) is
'The aggregate of a kind, or of every kind where p_kind is null, over a window that ends at p_now.
p_source filters by source; p_group_by (source, label.<name>) adds groups; p_as_of answers with the
newest snapshot at or before that time. p_fields names the members of the answer, null means all:
count, sum, avg, min, max, stddev, last, p50, p90, p95, p99, rate_per_second, previous, change, groups,
freshness, error_bound; p_group_by adds groups to them. previous, change and groups contain the named
statistics, or all when none is named. kind, type, unit, window, from, to and computed_at are always there; where the
source has not sent the kind, or no series has the label of p_group_by, hint says what to ask instead. stddev is that of the population.
Errors: kind_unknown, source_unknown, window_well_formed, window_within_retention,
group_by_well_formed, fields_known, as_of_not_in_future, as_of_unfiltered, aggregate_unknown.';
