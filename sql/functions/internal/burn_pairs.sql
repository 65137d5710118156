create or replace function internal.burn_pairs(p_condition jsonb)
returns table (factor double precision, short interval, long interval)
language sql stable
begin atomic
    select
        pair.factor,
        pair.short,
        pair.long
    from jsonb_to_recordset(p_condition -> 'pairs') as pair (
        factor double precision, short interval, long interval
    );
end;
comment on function internal.burn_pairs(jsonb) is
'The pairs of windows of a condition of type burn_rate.';
