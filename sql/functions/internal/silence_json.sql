create or replace function internal.silence_json(p_silence data.silence, p_now timestamptz)
returns json
language sql stable
begin atomic
    select json_build_object(
        'id', p_silence.silence_id,
        'status', case
            when p_silence.cancelled_at < upper(p_silence.during) then 'cancelled'
            when p_now < lower(p_silence.during) then 'planned'
            when p_now < upper(p_silence.during) then 'active'
            else 'past'
        end,
        'matchers', p_silence.matchers,
        'from', lower(p_silence.during),
        'to', upper(p_silence.during),
        'author', p_silence.author,
        'comment', p_silence.comment,
        'updated_at', p_silence.updated_at
    );
end;
comment on function internal.silence_json(data.silence, timestamptz) is
'A silence: {id, status, matchers, from, to, author, comment, updated_at}. status is planned, active,
past or cancelled.';
