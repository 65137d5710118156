create or replace function internal.judge_reading(
    p_document jsonb, p_has_reading boolean, p_active boolean, p_enabled boolean
)
returns boolean
language sql immutable parallel safe
begin atomic
    select case
        when not p_enabled then false
        when p_active is not null then p_active
        -- Whether a keep-alive is lost is not known while the service was stopped.
        when p_document #>> '{condition,type}' = 'keepalive' and p_has_reading then null
        -- A server that is not registered any more has no health.
        when not coalesce(p_document #> '{condition,during}', p_document -> 'condition') ? 'kind' then false
        -- The facts that it was about are past.
        when p_document -> 'condition' ? 'after' then false
        when p_document ->> 'no_data' = 'firing' then true
        when p_document ->> 'no_data' = 'ok' then false
    end;
end;
comment on function internal.judge_reading(jsonb, boolean, boolean, boolean) is
'Whether the condition of a rule holds, by what its no_data says where there is no data; null where the
alert stays as it is.';
