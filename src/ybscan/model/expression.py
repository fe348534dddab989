"""The conditions of the rule language, after loading: a small tree of frozen nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ybscan.model.facts import Plain

AbsentMeans = Literal["pass", "fail", "unknown"]

#: Every leaf word, in the order of the reference page.
WORDS = (
    "is", "is_not", "at_least", "at_most", "between", "one_of", "none_of", "like_any", "matches", "contains",
    "newer_than", "older_than", "version_at_least",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ref:
    """``$name`` (a parameter of the rule) or ``$site.section.key`` (a setting of the unit), resolved when judging."""

    name: str

    @property
    def is_site(self) -> bool:
        """Whether the reference is to the site file."""
        return self.name.startswith("site.")


Operand = Plain | Ref | tuple[Plain | Ref, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One matcher on one fact, or on one field of the item in hand.

    ``fact`` is the full name, or empty when ``field`` names a field of the current item. ``args`` are the arguments
    of a parametric fact.
    """

    word: str
    operand: Operand
    fact: str = ""
    field: str = ""
    args: tuple[tuple[str, str], ...] = ()
    when_absent: AbsentMeans = "unknown"
    line: int = 0


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Expression


@dataclass(frozen=True, slots=True)
class Quantified:
    """``no_item_in``, ``some_item_in`` or ``every_item_in`` over a list fact.

    ``where`` picks the items meant, ``exempt`` (written ``except``) takes some of them out again, ``expect_item``
    is what ``every_item_in`` demands of each.
    """

    word: Literal["no_item_in", "some_item_in", "every_item_in"]
    fact: str
    where: Expression | None = None
    exempt: Expression | None = None
    expect_item: Expression | None = None
    args: tuple[tuple[str, str], ...] = ()
    when_absent: AbsentMeans = "unknown"
    line: int = 0


Expression = Leaf | All | AnyOf | Not | Quantified


def fact_key(name: str, args: tuple[tuple[str, str], ...] = ()) -> str:
    """The key of a fact in a fact set: its name, with the arguments where it has some."""
    if not args:
        return name
    return f"{name}({', '.join(f'{k}={v}' for k, v in args)})"


def leaves(expression: Expression) -> Iterator[Leaf | Quantified]:
    """Every node of the tree that reads a fact or a field, outermost first."""
    if isinstance(expression, Leaf):
        yield expression
    elif isinstance(expression, (All, AnyOf)):
        for part in expression.parts:
            yield from leaves(part)
    elif isinstance(expression, Not):
        yield from leaves(expression.part)
    else:
        yield expression
        for branch in (expression.where, expression.exempt, expression.expect_item):
            if branch is not None:
                yield from leaves(branch)


def facts_read(expression: Expression) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """The facts an expression reads: key → (name, arguments)."""
    return {fact_key(n.fact, n.args): (n.fact, n.args) for n in leaves(expression) if n.fact}


def refs(expression: Expression) -> Iterator[tuple[Ref, int]]:
    """Every reference in the expression's operands, with its line."""
    for node in leaves(expression):
        if isinstance(node, Leaf):
            operand = node.operand
            for one in operand if isinstance(operand, tuple) else (operand,):
                if isinstance(one, Ref):
                    yield one, node.line


Resolved = Mapping[str, Plain | tuple[Plain, ...] | None]
