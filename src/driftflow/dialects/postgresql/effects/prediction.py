"""A prediction in the making: predictors say what they know, and out comes one `Effects`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftflow.dialects import any_version
from driftflow.dialects.postgresql.effects.duration import duration_of
from driftflow.dialects.postgresql.effects.locks import HELD, blocks, queues, strength
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Break, Condition, Effects, Held, LockClaim, Loss, Work, WorkKind
from driftflow.model.names import Name
from driftflow.model.record import LocalState, field

_HELD_FOR: dict[WorkKind, Held] = {"scan": "scan", "rewrite": "rewrite", "index_build": "index_build", "rows": "statement"}


class Prediction(LocalState):
    """What one operation does on `catalog`, on a server of one major version."""

    catalog: Catalog
    major: int
    """The version; whoever asks for it by `version` or `at_least` is remembered."""
    modes: dict[tuple[Name, str], str] = field(default_factory=dict)
    """(relation, mode) to why."""
    momentary: set[tuple[Name, str]] = field(default_factory=set)
    """Of these the ones that are given back before the work begins."""
    work: list[Work] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Break] = field(default_factory=list)
    transactional: bool = True
    unknown: str = ""
    created: set[Name] = field(default_factory=set)
    """Relations that the operation makes: work on them takes no time."""
    size_unknown: bool = False
    asked: bool = False
    """Whether the version made, or could have made, a difference."""
    steps: set[int] = field(default_factory=set)
    """The versions that were asked about: from one to the next the prediction is the same."""
    exact: bool = False
    """Whether the very version was asked for."""

    @property
    def version(self) -> int:
        self.exact = True
        return self.major

    def at_least(self, major: int) -> bool:
        """Whether the server is this new."""
        self.asked = True
        self.steps.add(major)
        return self.major >= major

    def holds_on(self, major: int) -> bool:
        """Whether the prediction is that of this later version too, but for the version that it names behind `; on`."""
        return not self.exact and not any(self.major < step <= major for step in self.steps)

    def lock(self, relation: Name, *modes: str, why: str = "") -> None:
        for mode in modes:
            known = self.modes.get((relation, mode))
            self.modes[relation, mode] = known or why
            self.momentary.discard((relation, mode))

    def lock_for_a_moment(self, relation: Name, mode: str, *, why: str) -> None:
        """One that is given back at once, unless the work itself takes it too."""
        if (relation, mode) not in self.modes:
            self.lock(relation, mode, why=why)
            self.momentary.add((relation, mode))

    def lock_all(self, relations: Iterable[Name], *modes: str, why: str = "") -> None:
        for relation in relations:
            self.lock(relation, *modes, why=why)

    def does(self, kind: WorkKind, relation: Name, why: str = "") -> None:
        if not any(
            done.kind == kind and done.relation == relation and (kind != "index_build" or done.why == why) for done in self.work
        ):
            self.work.append(Work(kind=kind, relation=relation, why=why))

    def fails(self, kind: str, summary: str, *, relation: Name | None = None, probe: str = "", certain: bool = False) -> None:
        self.conditions.append(Condition(kind=kind, summary=summary, relation=relation, probe=probe, certain=certain))

    def needs_version(self, major: int, what: str) -> bool:
        """False, with a certain failure, when the server is older than the syntax."""
        if self.at_least(major):
            return True
        self.fails("unsupported", f"{what} needs PostgreSQL {major}; on {self.major} it is an error", certain=True)
        return False

    def loses(self, what: str, relation: Name | None = None, *, reversible: bool = False) -> None:
        self.losses.append(Loss(what=what, relation=relation, reversible=reversible))

    def breaks(self, what: str, relation: Name | None = None, column: str = "") -> None:
        self.broken.append(Break(what=what, relation=relation, column=column))

    @property
    def fails_for_certain(self) -> bool:
        return any(condition.certain for condition in self.conditions)

    def effects(self) -> Effects:
        """The record. Every lock is held as long as the longest work of the operation takes."""
        held = self._held()
        claims = list(self.modes.items())
        if len(claims) > 1:
            order: dict[Name, int] = {}
            for relation, _ in self.modes:
                order.setdefault(relation, len(order))
            claims.sort(key=lambda item: (order[item[0][0]], -strength(item[0][1])))
        return Effects(
            locks=tuple(
                [
                    LockClaim(
                        relation=relation,
                        mode=mode,
                        blocks=blocks(mode),
                        held="instant" if (relation, mode) in self.momentary else held,
                        queues=queues(mode),
                        why=why,
                    )
                    for (relation, mode), why in claims
                ]
            ),
            work=tuple(self.work),
            transactional=self.transactional,
            fails_if=tuple(self.conditions),
            loses=tuple(self.losses),
            breaks=tuple(self.broken),
            unknown=self.unknown,
            duration=None if self.size_unknown else duration_of(self.work, self.catalog),
        )

    def _held(self) -> Held:
        """New tables are empty: work on them takes no time."""
        longest: Held = "instant"
        for work in self.work:
            table = self.catalog.table(work.relation)
            if work.relation not in self.created and not (table is not None and table.new):
                longest = max(longest, _HELD_FOR[work.kind], key=HELD.index)
        return longest


def worst(predictions: Iterable[tuple[int, Effects]]) -> Effects:
    """The union over versions: every lock, work and condition that any of them has. What only some have says which."""
    return any_version.worst(tuple(predictions), held=HELD, strength=lambda claim: strength(claim.mode), where=_on)


def _on(majors: Sequence[int]) -> str:
    return f"PostgreSQL {majors[0]}" if len(majors) == 1 else f"PostgreSQL {majors[0]} to {majors[-1]}"
