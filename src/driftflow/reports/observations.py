"""What was predicted beside what a throw-away server did, as text: the answer of `driftflow effects "SQL" --observe`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest

from driftflow.model.effects import Effects
from driftflow.model.observation import Difference, Observation, Observations, Part
from driftflow.plugins import register
from driftflow.reports.style import BOLD, DIM, GREEN, RED, YELLOW, Paint, wrap

PARTS: dict[Part, str] = {
    "error": "refused",
    "transaction": "transaction",
    "locks": "locks",
    "rewrite": "written anew",
    "scan": "read whole",
    "algorithms": "accepts",
}
PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
COLUMN_MAX = 44
Row = tuple[str, str, str]
"""Label, predicted, observed."""


@register("report", "observations")
def render(found: Observations, *, color: bool = False, width: int | None = None) -> str:
    paint = Paint(color, width)
    product = PRODUCTS.get(found.dialect, found.dialect)
    lines = [paint(f"observed on {product} {found.server_version} ({found.server})", DIM)]
    lines += [line for note in found.notes for line in paint.wrap(note, first="note: ", rest="      ")]
    for one in found.statements:
        lines.append("")
        lines += [paint(line, BOLD) for line in one.statement.sql.strip().splitlines()]
        lines += _statement(one, paint, f"{found.schema}." if found.schema else "")
    return "\n".join(lines)


def _statement(one: Observation, paint: Paint, needless: str) -> Iterator[str]:
    """`needless` is what every name begins with that means nothing: the schema of the scratch database."""
    rows = [tuple(map(_without(needless), row)) for part in PARTS for row in _rows(part, one)]
    first = max(12, *(len(label) for label, _, _ in rows))
    second = max(9, *(min(len(said), COLUMN_MAX) for _, said, _ in rows))
    yield paint(f"  {'':<{first}}  {'predicted':<{second}}  observed", DIM)
    for label, said, was in rows:
        yield from _cells(label, said, was, first, second)
    yield from map(_without(needless), _judged(one, paint))


def _without(needless: str) -> Callable[[str], str]:
    return lambda text: text.replace(needless, "") if needless else text


def _cells(label: str, said: str, was: str, first: int, second: int) -> Iterator[str]:
    columns = [wrap(text, first="", rest="", width=COLUMN_MAX) if text else [""] for text in (said, was)]
    for number, (left, right) in enumerate(zip_longest(*columns, fillvalue="")):
        yield f"  {label if number == 0 else '':<{first}}  {left:<{second}}  {right}".rstrip()


def _rows(part: Part, one: Observation) -> Iterator[Row]:
    label, seen = PARTS[part], one.observed
    unknown = not one.compared
    if part == "error":
        said = "; ".join(one.refusals) or ("perhaps: " + "; ".join(one.doubts) if one.doubts else "no")
        yield label, "unknown" if unknown else said, seen.error or "no"
    elif part not in seen.parts:
        return
    elif part == "transaction":
        yield label, "unknown" if unknown else _transaction(one.predicted), _transaction((seen.effects,))
    elif part == "locks":
        yield from _locks(label, one, unknown)
    elif part == "algorithms":
        yield label, "unknown" if unknown else _algorithms(one.predicted), _algorithms((seen.effects,))
    else:
        yield label, "unknown" if unknown else _relations(part, one.predicted), _relations(part, (seen.effects,))


def _locks(label: str, one: Observation, unknown: bool) -> Iterator[Row]:
    said, was = _modes(one.predicted), _modes((one.observed.effects,))
    if one.observed.whole is not None and said:
        said = {one.observed.whole.text: ", ".join(dict.fromkeys(said.values()))}
    gone = {name.text for name in one.observed.gone}
    names = [name for name in dict.fromkeys((*said, *was)) if name in said or name not in gone]
    missed = "none" if one.observed.every_mode else "not seen"
    if not names:
        yield label, "unknown" if unknown else "no relation", "no relation"
    for number, name in enumerate(names):
        heading = label if number == 0 else ""
        yield f"{heading:<6}{name}", "unknown" if unknown else said.get(name, "none"), was.get(name, missed)


def _modes(several: Iterable[Effects]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for effects in several:
        for claim in effects.locks:
            modes = found.setdefault(claim.relation.text, [])
            modes += [claim.mode] if claim.mode not in modes else []
    return {name: ", ".join(sorted(modes)) for name, modes in found.items()}


def _relations(part: Part, several: Sequence[Effects]) -> str:
    names = {name.text for one in several for name in (one.rewrites if part == "rewrite" else one.scans)}
    return ", ".join(sorted(names)) or "nothing"


def _transaction(several: Sequence[Effects]) -> str:
    if all(one.transactional for one in several):
        return "runs in one"
    return "commits what is open" if any(one.implicit_commit for one in several) else "refused inside one"


def _algorithms(several: Sequence[Effects]) -> str:
    pairs = next((one.algorithms for one in several if one.algorithms), ())
    told = (f"{one.algorithm}/{one.lock}{' (writes anew)' if one.rebuilds else ''}" for one in pairs)
    return ", ".join(told) or "none"


def _judged(one: Observation, paint: Paint) -> Iterator[str]:
    """`equal`, or every difference by name; and what was not looked at."""
    match one.verdict:
        case "equal":
            names = ", ".join(PARTS[part] for part in one.compared)
            yield f"  {paint('equal', GREEN, BOLD)}: {names}"
        case "differs":
            for difference in one.differences:
                lines = paint.wrap(_difference(difference), first="  differs: ", rest="           ")
                yield from (line.replace("differs", paint("differs", RED, BOLD), 1) for line in lines)
        case "not compared":
            reasons = "; ".join(dict.fromkeys(effects.unknown for effects in one.predicted if effects.unknown))
            yield f"  {paint('not compared', YELLOW, BOLD)}: {reasons or 'nothing is predicted of it'}"
            return
    for text in one.observed.left_out:
        yield from paint.wrap(text, first="  not compared: ", rest="                ")


def _difference(one: Difference) -> str:
    about = f" on {one.about}" if one.part == "locks" else f" {one.about}" if one.about else ""
    return f"{PARTS[one.part]}{about}: predicted {one.predicted}; observed {one.observed}"
