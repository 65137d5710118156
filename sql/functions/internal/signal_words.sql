create or replace function internal.signal_words(p_signal text, p_status text, p_detail text)
returns text
language sql immutable parallel safe
begin atomic
    select case p_signal
        when 'keepalive' then 'keep-alives arrive'
        when 'probe' then 'probe is ' || p_status
        when 'traffic' then 'callers see ' || p_detail
        when 'report' then 'reports say ' || p_status
    end;
end;
comment on function internal.signal_words(text, text, text) is
'What a known signal says, as part of a sentence.';
