"""What `convert` and `too-long` make of one redefined column of MySQL or MariaDB: the expression there, the one back, and what is counted before."""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Column, Table
from driftflow.model.plan import Guard
from driftflow.model.record import Record, replace
from driftflow.strategies.types import offenders
from driftflow.strategies.types.said_conversion import ConvertRequest, convert_of, too_long_of

AS_SAID = "docs/directives.md (convert)"


class ColumnConversion(Record, frozen=True, kw_only=True):
    """Expressions go by the column's name: over the old form on the way there, over the new one on the way back. Empty: the value as it is."""

    old: Column
    new: Column
    there: str = ""
    back: str = ""
    guards: tuple[Guard, ...] = ()
    one_way: str = ""
    """Why the old values are gone with the old form."""
    archived: str = ""
    """Which of them are kept before: a condition over the old form."""


def by_session(old: Column, new: Column) -> bool:
    """Whether the server would take the time zone of whatever session runs the statement."""
    return _is_moment(old) != _is_moment(new)


def _is_moment(column: Column) -> bool:
    return column.type.partition("(")[0].partition(" ")[0] == "timestamp"


def converted(at: Situation, table: Table, old: Column, new: Column) -> ColumnConversion:
    """Raises RefusedError: DF-E630 where the time zone is not said, DF-E633 where the words do not fit the types, DF-E733 where nothing can be cut."""
    request, too_long = convert_of(at), too_long_of(at)
    if too_long is not None and too_long.policy != "reject":
        return _cut(at, table, old, new, archive=too_long.policy == "archive")
    if (request is None or not (request.zone or request.format or request.encoding)) and by_session(old, new):
        raise RefusedError(
            "DF-E630",
            f"the time zone of {table.name.name}.{old.name} is not said",
            where=str(at.statement.span),
            why=f"from {old.type} to {new.type} the server would take the zone of whatever session runs the statement",
            hint="name the zone in which the values are meant: -- driftflow: convert zone=Europe/Berlin",
        )
    if request is None:
        return _as_it_is(at, table, old, new)
    if request.map:
        return _mapped(at, table, old, new, request)
    if request.mojibake == "repair":
        return _decoded(at, table, old, new)
    if request.zone or request.format or request.encoding:
        return _by_words(at, table, old, new, request)
    return replace(_as_it_is(at, table, old, new), back=request.back)


def _as_it_is(at: Situation, table: Table, old: Column, new: Column) -> ColumnConversion:
    """A column beside one that is converted."""
    one_way = "" if at.dialect.keeps(old, new) else f"values changed from {old.type} to {new.type} may not come back the same"
    return ColumnConversion(old=old, new=new, guards=tuple(offenders.unfit_guards(at, table, old, new)), one_way=one_way)


def _cut(at: Situation, table: Table, old: Column, new: Column, *, archive: bool) -> ColumnConversion:
    value = at.dialect.quote(old.name)
    unfit = at.dialect.unfit(old, new, value)
    there = at.dialect.cut(new, value) if unfit else ""
    if not there:
        raise RefusedError(
            "DF-E733",
            f"nothing can be cut from {old.type} to {new.type}",
            where=str(at.statement.span),
            why="`too-long` is for texts, bytes and numbers that become shorter",
            hint='leave the directive out; values of an enum are mapped: -- driftflow: convert map="old=new"',
        )
    wrong = " OR ".join(f"({condition})" for condition, _ in unfit)
    guard = Guard(
        query=f"SELECT count(*) FROM (SELECT 1 FROM {at.dialect.quote_name(table.name)} WHERE {wrong} LIMIT 1000) AS offenders",
        refuse_if="never",
        summary=f"{{count}} rows of {table.name.name} hold a {old.name} that is cut to what {new.type} holds",
    )
    return ColumnConversion(
        old=old,
        new=new,
        there=there,
        back=value,
        guards=(guard,),
        one_way=f"what was cut from {old.name} is kept nowhere",
        archived=wrong if archive else "",
    )


def _mapped(at: Situation, table: Table, old: Column, new: Column, request: ConvertRequest) -> ColumnConversion:
    value, pairs = at.dialect.quote(old.name), request.map
    there = at.dialect.mapped(pairs, value)
    text = replace(old, type="longtext", charset="utf8mb4", collation="utf8mb4_0900_ai_ci")
    guards = tuple(
        offenders.offending(
            at, table, condition, f"hold a {old.name} {said}", hint=f"let the map name every value that goes: {AS_SAID}"
        )
        for condition, said in at.dialect.unfit(text, new, there)
    )
    backwards = {to: given for given, to in pairs.items()}
    stayed = set(backwards) & set(at.dialect.members(old))
    lost = len(backwards) < len(pairs) or bool(stayed - set(pairs))
    return ColumnConversion(
        old=old,
        new=new,
        there=there,
        back=request.back or at.dialect.mapped(backwards, value),
        guards=guards,
        one_way=f"which values of {old.name} were mapped is kept nowhere" if lost and not request.back else "",
    )


def _decoded(at: Situation, table: Table, old: Column, new: Column) -> ColumnConversion:
    value = at.dialect.quote(old.name)
    twice = at.dialect.mojibake(old, value)
    plain = _as_it_is(at, table, old, new)
    if not twice:
        return plain
    guard = Guard(
        query=f"SELECT count(*) FROM (SELECT 1 FROM {at.dialect.quote_name(table.name)} WHERE {twice} LIMIT 1000) AS offenders",
        refuse_if="never",
        summary=f"{{count}} rows of {table.name.name} hold a {old.name} that was encoded twice and is decoded",
    )
    there = at.dialect.decoded(old, value)
    one_way = f"which texts of {old.name} were decoded is kept nowhere"
    return replace(plain, there=there, guards=(*plain.guards, guard), one_way=one_way)


def _by_words(at: Situation, table: Table, old: Column, new: Column, request: ConvertRequest) -> ColumnConversion:
    value = at.dialect.quote(old.name)

    def said(of: str) -> tuple[str, str]:
        return at.dialect.conversion(old, new, of, zone=request.zone, format=request.format, encoding=request.encoding)

    there, back = said(value)
    if not there:
        raise RefusedError(
            "DF-E633",
            f"`convert` does not say how {old.type} becomes {new.type}",
            where=str(request.span),
            why="zone is for TIMESTAMP and DATETIME, format for text and moments (without names of months and days), encoding for text and bytes",
            hint=f"see {AS_SAID}",
        )
    guards = [*_zone_guards(at, request), *_unlike(at, table, old, new, request, said(f"({there})")[1])]
    reach = at.dialect.out_of_reach(old, new, value, zone=request.zone, format=request.format)
    if reach:
        words = f"hold a {old.name} that {request.zone} does not have, or that a TIMESTAMP does not reach"
        guards.append(offenders.offending(at, table, reach, words, hint="correct these rows first, or name another zone"))
    guards += _repeated_hour(at, table, old, new, request)
    guards += [
        offenders.offending(at, table, condition, f"hold a {old.name} {words}", hint="a longer type, or correct these rows first")
        for condition, words in at.dialect.unfit(replace(new, type=_unbounded(new)), new, f"({there})")
    ]
    return ColumnConversion(old=old, new=new, there=there, back=request.back or back, guards=tuple(guards))


def _repeated_hour(at: Situation, table: Table, old: Column, new: Column, request: ConvertRequest) -> list[Guard]:
    """Nothing is wrong with these rows, and whoever reads the plan, or takes the change back, knows."""
    condition = at.dialect.comes_twice(old, new, at.dialect.quote(old.name), zone=request.zone, format=request.format)
    if not condition:
        return []
    hour = f"hold a {old.name} in an hour that {request.zone} has twice"
    words = (
        "the server takes one of its two moments"
        if _is_moment(new)
        else "once the old values are dropped, nobody knows which of the two it was"
    )
    return [replace(offenders.offending(at, table, condition, f"{hour}: {words}", hint=""), refuse_if="never")]


def _unbounded(new: Column) -> str:
    return {"varchar": "longtext", "char": "longtext", "varbinary": "longblob", "binary": "longblob"}.get(
        new.type.partition("(")[0], new.type
    )


def _zone_guards(at: Situation, request: ConvertRequest) -> list[Guard]:
    query = at.dialect.unknown_zone(request.zone)
    if not query:
        return []
    return [
        Guard(
            query=query,
            summary=f"the server knows no time zone {request.zone}",
            hint="load its time zone tables (mysql_tzinfo_to_sql), or name the offset: zone=+02:00",
        )
    ]


def _unlike(at: Situation, table: Table, old: Column, new: Column, request: ConvertRequest, same: str) -> list[Guard]:
    """Rows whose value does not come back the same from this format or encoding. A TIMESTAMP comes back from every zone, but for an hour in autumn."""
    if not (request.format or request.encoding):
        return []
    value = at.dialect.quote(old.name)
    mine, other = (f"CONVERT({one} USING utf8mb4)" if old.charset else one for one in (value, same))
    wrong = at.dialect.differs_exactly(mine, other, old)
    word = "format" if request.format else "encoding"
    text = f"hold a {old.name} that does not come back the same from this {word}"
    return [offenders.offending(at, table, wrong, text, hint=f"another {word}, or correct these rows first")]
