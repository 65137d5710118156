create or replace function internal.burn_pairs(p_condition jsonb)
returns table (factor double precision, short interval, long interval)
language sql stable
begin atomic
    select
        pair.factor,
        pair.short,
        pair.long
    from jsonb_to_recordset(
        coalesce(
            p_condition -> 'pairs',
            '[
                {"factor": 14.4, "short": "5m", "long": "1h"},
                {"factor": 6, "short": "30m", "long": "6h"},
                {"factor": 3, "short": "2h", "long": "1d"},
                {"factor": 1, "short": "6h", "long": "3d"}
            ]'
        )
    ) as pair (factor double precision, short interval, long interval);
end;
comment on function internal.burn_pairs(jsonb) is
'The pairs of windows of a condition of type burn_rate; by default the four of the SRE Workbook (Beyer and
others, 2018, chapter 5).';
