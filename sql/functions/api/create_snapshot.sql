create or replace function api.create_snapshot(
    p_name text, p_window text, p_author text, p_now timestamptz
)
returns json
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
set timezone = 'UTC'
set extra_float_digits = 1
as $$
declare
    v_answer json;
    v_snapshot data.snapshot;
begin
    -- Two at once neither take one name nor exceed the quota together.
    perform from data.quota where name = 'snapshots' for no key update;
    perform internal.check_snapshot(p_name, p_author);
    v_answer := api.query_agg(null, p_window, null, null, null, null, p_now);
    insert into data.snapshot (
        name, window_name, begins_at, ends_at, kinds, content, author, created_at
    ) values (
        p_name, p_window, (internal.comparison_range(p_window, p_now)).begins, p_now,
        json_array_length(v_answer -> 'kinds'),
        convert_to(v_answer::text, 'UTF8'), p_author, p_now
    )
    returning * into v_snapshot;
    return internal.snapshot_json(v_snapshot);
end
$$;
comment on function api.create_snapshot(text, text, text, timestamptz) is
'Freezes the answer of query_agg about every kind over a window that ends at p_now, under a name that is not
taken: {name, window, from, to, kinds, bytes, sha256, author, created_at}. bytes and sha256 are those of
the content, which get_snapshot answers with. No retention deletes it.
Errors: window_well_formed, window_within_retention, snapshot_name_well_formed, author_well_formed,
snapshot_name_taken, count_within_quota.';
