create or replace function api.query_agg(
    p_kind text,
    p_window text,
    p_source text,
    p_group_by text,
    p_as_of timestamptz,
    p_now timestamptz
)
returns json
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_kinds constant integer [] := internal.find_kinds(p_kind);
    v_series integer [];
    v_answer json;
begin
    if p_as_of is not null then
        return internal.recall_agg(v_kinds, p_kind, p_window, p_source, p_group_by, p_as_of);
    end if;
    if p_group_by <> 'source' and p_group_by !~ '^label\.[A-Za-z_][A-Za-z0-9_.]{0,99}$' then
        raise exception 'Groups cannot be made by "%".', p_group_by
            using errcode = 'SV422', constraint = 'group_by_well_formed', column = 'group_by',
            hint = 'Group by source or by label.<name>.';
    end if;
    if p_source is not null then
        v_series := internal.find_series(v_kinds, p_source);
    end if;
    return internal.present_agg(
        p_kind, p_window,
        array(
            select member.answer
            from internal.answer_agg(v_kinds, v_series, p_window, p_group_by, p_now) as member
            order by member.answer ->> 'kind'
        ),
        p_now
    );
end
$$;
comment on function api.query_agg(text, text, text, text, timestamptz, timestamptz) is
'The aggregate of a kind, or of every kind where p_kind is null, over a window that ends at p_now.
p_source narrows it to a source; p_group_by (source, label.<name>) adds groups; p_as_of answers what
the newest snapshot before that instant said.
Errors: kind_unknown, source_unknown, window_well_formed, window_within_retention,
group_by_well_formed, as_of_unfiltered, aggregate_unknown.';
