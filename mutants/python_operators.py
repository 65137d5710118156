"""The changes of Python: those of Cosmic Ray that a person could make by mistake."""

from __future__ import annotations

from itertools import count

from mutants.mutant import Mutant

# The others replace an operator by each other one, most of all the `|` of annotations.
OPERATORS = (
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_Div",
    "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceUnaryOperator_Delete_Not",
    "AddNot",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)
# What a class promises of its objects, which nothing but the type checker notices.
PROMISES = ("frozen=", "slots=")


def mutants(path: str, text: str) -> list[Mutant]:
    """Every change of a file, in the order of the places."""
    # Only `make mutants` installs it.
    from cosmic_ray.mutating import MutationVisitor  # noqa: PLC0415
    from cosmic_ray.plugins import get_operator  # noqa: PLC0415

    found: dict[tuple[int, int, str], Mutant] = {}
    for name in OPERATORS:
        operator = get_operator(f"core/{name}")()
        for occurrence in count():
            mutated = MutationVisitor.mutate_code(text, operator, occurrence)
            if mutated is None:
                break
            start, end, replacement = _difference(text, mutated)
            if text[:start].rstrip().endswith(("(", ",")) and text[start] == "*":
                continue  # Of a signature, not of a product.
            if text[:start].endswith(PROMISES) or _is_for_types(text, start):
                continue
            found.setdefault(
                (start, end, replacement), Mutant(path, text, name, start, end, replacement)
            )
    return [found[place] for place in sorted(found)]


def _is_for_types(text: str, start: int) -> bool:
    """Whether a change is in the condition of imports that only annotations need."""
    return text[text.rfind("\n", 0, start) + 1 :].startswith("if TYPE_CHECKING:")


def _difference(text: str, mutated: str) -> tuple[int, int, str]:
    shorter = min(len(text), len(mutated))
    start = next((n for n in range(shorter) if text[n] != mutated[n]), shorter)
    same = next(
        (n for n in range(shorter - start) if text[-1 - n] != mutated[-1 - n]), shorter - start
    )
    return start, len(text) - same, mutated[start : len(mutated) - same]
