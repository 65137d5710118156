create or replace function internal.pick_statistic(p_statistics data.statistics, p_name text)
returns double precision
language sql immutable parallel safe
begin atomic
    select case p_name
        when 'count' then (p_statistics).count::double precision
        when 'sum' then (p_statistics).sum
        when 'avg' then (p_statistics).avg
        when 'min' then (p_statistics).min
        when 'max' then (p_statistics).max
        when 'last' then (p_statistics).last
        when 'p50' then (p_statistics).p50
        when 'p90' then (p_statistics).p90
        when 'p95' then (p_statistics).p95
        when 'p99' then (p_statistics).p99
        when 'rate' then (p_statistics).rate_per_second
    end;
end;
comment on function internal.pick_statistic(data.statistics, text) is
'The statistic that a rule names, as a number; rate is rate_per_second.';
