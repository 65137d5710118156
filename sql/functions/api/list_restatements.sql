create or replace function api.list_restatements(
    p_kind text, p_from timestamptz, p_to timestamptz, p_limit integer, p_cursor text
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
    v_limit constant integer := internal.read_limit(p_limit, 100, 1000);
    v_after constant bigint := internal.read_cursor('restatements', p_cursor, '^\d{1,18}$');
    v_answer json;
begin
    perform internal.check_range(p_from, p_to);
    with page as (
        select
            restatement.restatement_id,
            row_number() over (order by restatement.restatement_id desc) as place,
            json_build_object(
                'kind', kind.name,
                'from', lower(restatement.during),
                'to', upper(restatement.during),
                'reason', case
                    when restatement.late_samples > 0 then 'late_samples'
                    else 'changed_samples'
                end,
                'late_samples', restatement.late_samples,
                'noted_at', restatement.noted_at,
                'restated_at', restatement.restated_at,
                'before', restatement.before,
                'after', restatement.after
            ) as item
        from data.aggregate_restatement as restatement
        inner join data.kind on restatement.kind_id = kind.kind_id
        where
            restatement.restated_at is not null
            and restatement.kind_id = any(v_kinds)
            and restatement.during && tstzrange(p_from, p_to)
            and (v_after is null or restatement.restatement_id < v_after)
        order by restatement.restatement_id desc
        limit v_limit + 1
    )
    select json_build_object(
        'items', coalesce(json_agg(item order by place) filter (where place <= v_limit), '[]'),
        'next_cursor', case when count(*) > v_limit then internal.write_cursor(
            'restatements', (min(restatement_id) filter (where place <= v_limit))::text
        ) end
    )
    into v_answer
    from page;
    return v_answer;
end
$$;
comment on function api.list_restatements(
    text, timestamptz, timestamptz, integer, text
) is
'Hours of a kind, or of every kind, in [p_from, p_to) that were rolled up again, the newest first:
{items: [{kind, from, to, reason, late_samples, noted_at, restated_at, before, after}], next_cursor}. reason
is late_samples, or changed_samples where somebody changed or deleted samples by hand. before and after are
{count, sum, min, max} of the hours; they are null where there was no value. A page has p_limit items, by
default 100, at most 1000; next_cursor is null on the last one.
Errors: kind_unknown, from_before_to, from_in_range, limit_in_range, cursor_invalid.';
