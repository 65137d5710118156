create or replace function internal.contribution(
    p_over double precision,
    p_under double precision,
    p_over_before double precision,
    p_under_before double precision,
    p_under_all double precision,
    p_over_all_before double precision,
    p_under_all_before double precision
)
returns double precision
language sql immutable parallel safe
begin atomic
    -- With R the quotient of all before: of what a part is above R, weighted by its share of what is
    -- divided by, now less before. Over all parts, that adds up to the change of the quotient.
    select
        case
            when p_under_all <> 0 and p_under_all_before <> 0
                then
                    internal.quotient(p_over - internal.product(former.quotient, p_under), p_under_all)
                    - internal.quotient(
                        p_over_before - internal.product(former.quotient, p_under_before), p_under_all_before
                    )
        end
    from internal.quotient(p_over_all_before, p_under_all_before) as former (quotient);
end;
comment on function internal.contribution(
    double precision, double precision, double precision, double precision,
    double precision, double precision, double precision
) is
'What a part has added to the change of a quotient of sums: p_over and p_under are its own now, the next two
before, and the last three are those of all parts. Those of all parts add up to the change. Null where one
of the two quotients is.';
