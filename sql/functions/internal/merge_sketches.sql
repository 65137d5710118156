create or replace function internal.merge_sketches(p_one analytics.sketch, p_other analytics.sketch)
returns analytics.sketch
language sql immutable strict parallel safe
begin atomic
    select row(
        (p_one).observations + (p_other).observations,
        coalesce(
            (p_one).positive + (p_other).positive, (p_one).positive, (p_other).positive
        ),
        coalesce((p_one).other + (p_other).other, (p_one).other, (p_other).other),
        least((p_one).low, (p_other).low),
        greatest((p_one).high, (p_other).high),
        (p_one).histogram or (p_other).histogram
    )::analytics.sketch;
end;
comment on function internal.merge_sketches(analytics.sketch, analytics.sketch) is
'The distribution of the values of both.';
