create or replace function internal.receipt_json(
    p_items integer, p_accepted integer, p_conflict integer, p_late integer, p_bad integer, p_rejected jsonb
)
returns json
-- As json_build_object is: the planner cannot inline a function that promises more than its body.
language sql stable parallel safe
begin atomic
    select json_build_object(
        'accepted', p_accepted,
        'duplicate', p_items - p_accepted - p_conflict - p_bad,
        'conflict', p_conflict,
        'late', p_late,
        'rejected', coalesce(p_rejected, '[]')
    );
end;
comment on function internal.receipt_json(integer, integer, integer, integer, integer, jsonb) is
'The answer of an ingest: counts of items, and the broken rules of the p_bad refused items as
explain_items returns them.';
