create or replace function internal.check_silence(
    p_id text, p_author text, p_comment text, p_matchers jsonb
)
returns void
language plpgsql
as $$
declare
    v_faults jsonb;
begin
    if internal.fits(p_id, 'identifier') is not true then
        raise exception 'invalid silence id "%"', left(coalesce(p_id, ''), 100)
            using errcode = 'SV422', constraint = 'silence_id_well_formed', column = 'id',
            hint = 'Send letters, digits, and any of _ . : - after the first one; at most 200.';
    end if;
    perform internal.check_author(p_author);
    if (length(p_comment) between 1 and 1000) is not true then
        raise exception 'comment is not a text of 1 to 1000 characters'
            using errcode = 'SV422', constraint = 'comment_in_range', column = 'comment',
            hint = 'Send why the alerts are silenced as comment.';
    end if;
    select
        jsonb_agg(
            jsonb_build_object('field', field, 'slug', slug, 'detail', detail) order by field, slug
        )
    into v_faults
    from internal.matcher_faults(p_matchers, 'matchers')
    where p_matchers is not null;
    if p_matchers is not null and v_faults is null and internal.matches('{}', p_matchers) then
        v_faults := jsonb_build_array(jsonb_build_object(
            'field', 'matchers', 'slug', 'matchers_select',
            'detail', 'Every alert would match, also one without these labels. Send at least one'
            ' matcher that wants a label, such as {"name": "source", "operator": "=", "value": "web"}.'
        ));
    end if;
    if v_faults is not null then
        perform internal.refuse_document(v_faults);
    end if;
end
$$;
comment on function internal.check_silence(text, text, text, jsonb) is
'Refuses what a silence cannot have; null matchers are not checked.
Errors: silence_id_well_formed, author_well_formed, comment_in_range, document_refused.';
