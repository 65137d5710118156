create or replace function internal.statistics_of(p_answer json) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        p_answer::jsonb
        - '{from,to,computed_at,rate_per_second,change,groups,freshness}'::text[]
        #- '{previous,from}' #- '{previous,to}' #- '{previous,rate_per_second}';
end;
comment on function internal.statistics_of(json) is
'What an answer of query_agg says about its samples, without members that move with the clock: from,
to, computed_at, rates, change (which follows from the rest) and freshness.';
