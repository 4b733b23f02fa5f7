"""Run every check over the walk and return one Assessment: deterministic, each finding once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from driftflow.checks.facts import Facts
from driftflow.checks.premises import holding
from driftflow.checks.suppression.directive import unread_directives
from driftflow.checks.suppression.ignore import Ignores
from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog
from driftflow.model.effects import Effects
from driftflow.model.finding import AssessedStatement, Assessment, Finding, SuppressedFinding
from driftflow.model.migration import Migration
from driftflow.model.record import Record, encode, replace
from driftflow.plugins import Registration, discover

ALWAYS = frozenset({"DF001", "DF003", "DF005", "DF304", "DF501", "DF651", "DF654", "DF655"})
"""What is said of a statement even when it will fail anyway."""

_SEVERITY = {"error": 0, "warning": 1, "info": 2}


OF_ONE_DATABASE = {"mysql": ("mysql", "mariadb"), "sqlite": ("sqlite",)}
"""Folders of checks, and the only dialects that these look at: for another one nobody reads them."""


class Judged(Record, frozen=True, kw_only=True):
    """What is said of a stretch of the walk, before anybody's wish to be silent."""

    findings: tuple[tuple[int, Finding], ...] = ()
    """With the place of the operation in the whole walk."""
    effects: tuple[Effects, ...] = ()
    """Of every operation, in order."""
    sizes: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


Judge = Callable[[Sequence[tuple[int, Situation]]], Judged]
Spread = Callable[[Judge, Sequence[tuple[int, Situation]]], Iterable[Judged]]
"""Judges stretches of the walk, one after another or side by side, and gives the answers in order."""


def assess(
    migrations: Sequence[Migration],
    *,
    catalog: Catalog,
    dialect: Dialect,
    policy: Policy,
    folder: Path = Path(),
    inputs: Mapping[str, str] | None = None,
    today: str = "",
    spread: Spread | None = None,
) -> Assessment:
    """What the (parsed) migrations do to this database, in order, as their own tool would run them.

    `today` (an ISO date) decides whether an `ignore … until=` has expired; without it none has.
    """
    walked = tuple(situations(migrations, catalog=catalog, dialect=dialect, policy=policy, folder=folder, inputs=inputs))
    by_kind = _ByKind(checks_of(dialect.name), dialect.name)
    numbered = tuple(enumerate(walked))
    parts = tuple(spread(by_kind.judge, numbered)) if spread is not None else (by_kind.judge(numbered),)
    ignores = Ignores(migrations, today=today)
    found: list[tuple[int, Finding]] = []
    suppressed: list[SuppressedFinding] = []
    for position, finding in chain.from_iterable(part.findings for part in parts):
        at = walked[position]
        if (covered := ignores.covering(finding, at)) is not None:
            suppressed.append(covered)
        else:
            found.append((at.statement.span.start, finding))
    found.extend((finding.span.start, finding) for finding in (*ignores.findings(), *unread_directives(migrations)))
    facts = (*chain.from_iterable(part.sizes for part in parts), *chain.from_iterable(part.facts for part in parts))
    return Assessment(
        dialect=dialect.name,
        server_version=str(catalog.version) if catalog.version else "",
        statements=tuple(_statements(migrations, walked, tuple(chain.from_iterable(part.effects for part in parts)))),
        findings=tuple(_ordered(found, migrations)),
        suppressed=tuple({encode(one): one for one in suppressed}.values()),
        facts=tuple(dict.fromkeys(facts)),
    )


def checks_of(dialect: str) -> tuple[Registration, ...]:
    """Every check that may look at this dialect."""
    without = [f"driftflow.checks.{folder}" for folder, names in OF_ONE_DATABASE.items() if dialect not in names]
    return discover("check", without=tuple(without)).of("check")


class _ByKind(dict[tuple[type, int], tuple[Registration, ...]]):
    """The checks that look at an operation of a class where these premises hold, found once for both."""

    def __init__(self, checks: Sequence[Registration], dialect: str) -> None:
        self._checks = [one for one in checks if not one.info["dialects"] or dialect in one.info["dialects"]]

    def __missing__(self, asked: tuple[type, int]) -> tuple[Registration, ...]:
        kind, holds = asked
        self[asked] = tuple(
            one for one in self._checks if issubclass(kind, one.info["on"]) and one.info["only"] & holds == one.info["only"]
        )
        return self[asked]

    def judge(self, stretch: Sequence[tuple[int, Situation]]) -> Judged:
        """Everything that the checks say of these operations."""
        facts = Facts()
        findings: list[tuple[int, Finding]] = []
        for position, at in stretch:
            facts.look_at(at)
            findings += [(position, finding) for finding in _findings(at, self)]
        return Judged(
            findings=tuple(findings),
            effects=tuple([at.effects for _, at in stretch]),
            sizes=facts.sizes,
            facts=facts.said,
        )


def _findings(at: Situation, by_kind: _ByKind) -> Iterator[Finding]:
    """Of one operation, with code and page of the check that spoke."""
    for check in by_kind[type(at.operation), holding(at)]:
        for found in check.value(at.operation, at):
            if found.axis != "note" and check.name not in ALWAYS and _names_nothing(at):
                continue  # what a statement blocks or loses does not matter when it names what is not there
            yield replace(found, code=found.code or check.name, page=found.page or check.info["page"])


def _names_nothing(at: Situation) -> bool:
    """Whether it will fail for what is missing, or there already."""
    return bool(at.conflict) or any(one.certain and one.kind in ("missing", "exists") for one in at.effects.fails_if)


def _statements(
    migrations: Sequence[Migration], walked: Sequence[Situation], predicted: Sequence[Effects]
) -> Iterator[AssessedStatement]:
    """Every statement once, in order, with the effects of each of its operations."""
    effects: dict[tuple[int, int], list[Effects]] = {}
    for at, one in zip(walked, predicted, strict=True):
        effects.setdefault((id(at.migration), id(at.statement)), []).append(one)
    for migration in migrations:
        for statement in migration.statements:
            own = effects.get((id(migration), id(statement)), [])
            yield AssessedStatement(migration=migration.id, statement=statement, effects=tuple(own))


def _ordered(found: Sequence[tuple[int, Finding]], migrations: Sequence[Migration]) -> Iterator[Finding]:
    """By statement in the order of the release, then by weight and code; what is said twice is said once."""
    order = {migration.id: index for index, migration in enumerate(migrations)}

    def key(item: tuple[int, Finding]) -> tuple[int, int, int, str, int, str]:
        start, finding = item
        weight = _SEVERITY[finding.severity]
        return (order.get(finding.migration, -1), start, weight, finding.code, finding.span.start, finding.summary)

    seen = set()
    for _, finding in sorted(found, key=key):
        mark = encode((finding.code, finding.migration, finding.span, finding.summary))
        if mark not in seen:
            seen.add(mark)
            yield finding
