"""The decorator that makes a function a strategy: one safe recipe, from one operation to steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from driftflow.dialects.situation import Situation
from driftflow.model.plan import Step
from driftflow.plugins import register

StrategyFunction = Callable[[Any, Situation], Iterator[Step]]


def strategy(
    name: str,
    *,
    on: type | tuple[type, ...],
    resolves: tuple[str, ...] = (),
    applies: Callable[[Any, Situation], bool],
    rank: int = 50,
    page: str = "",
) -> Callable[[StrategyFunction], StrategyFunction]:
    """Register a strategy. Among those that apply, the highest `rank` wins; `direct` (rank 0) always applies.

    The function yields steps without ids; it reads the situation and nothing else. `resolves` are finding codes that the recipe answers.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    return register("strategy", name, on=kinds, resolves=resolves, applies=applies, rank=rank, page=page)


EnhancementFunction = Callable[[Any, Situation], str]


def enhancement(
    name: str, *, on: type | tuple[type, ...], title: str, why: str
) -> Callable[[EnhancementFunction], EnhancementFunction]:
    """Register an enhancement: a better form of a statement that only a person can want, because it changes what is stored.

    The function returns the text that takes the statement's place (with directives and terminators), or nothing where it has none to offer.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    return register("enhancement", name, on=kinds, title=title, why=why)
