create or replace function internal.present_agg(
    p_kind text, p_window text, p_answers json[], p_now timestamptz
)
returns json
language sql immutable
begin atomic
    select case
        when p_kind is not null then p_answers[1]::json
        else json_build_object(
            'window', p_window, 'kinds', to_json(p_answers), 'computed_at', p_now
        )
    end;
end;
comment on function internal.present_agg(text, text, json[], timestamptz) is
'The answer itself for a named kind, an object with a list of answers for every kind.';
