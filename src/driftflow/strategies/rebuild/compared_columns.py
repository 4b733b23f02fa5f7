"""Whether a column of MySQL or MariaDB holds what an expression over a row of another table becomes in it."""

from __future__ import annotations

from driftflow.model.catalog import Column

INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
EXACT = (*INTEGERS, "decimal", "numeric")
SPATIAL = ("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection")


def differs(mine: Column | None, theirs: Column, there: str, value: str, *, as_text: bool = False) -> str:
    """A condition: `value`, which is the column `theirs`, is not what `there` becomes in it, which is the column `mine`, or None where it is another
    expression. Where the servers have no exact comparison: whether one of them alone is NULL; or with `as_text` whether they are written otherwise,
    which some are that are equal, but no two that are not."""
    inexact = _by_bytes if as_text else _nulls
    base = _base(theirs.type)
    if base in SPATIAL:
        return inexact(there, value)
    if mine is not None and mine.type == theirs.type and mine.collation == theirs.collation:
        return _by_bytes(there, value) if theirs.collation else f"NOT ({there} <=> {value})"
    if theirs.collation:
        if mine is not None and not mine.collation and _base(mine.type) not in EXACT:
            return inexact(there, value)
        text = f"CONVERT({there} USING {theirs.collation.partition('_')[0]})"
        return _by_bytes(f"RTRIM({text})", f"RTRIM({value})") if base == "char" else _by_bytes(text, value)
    if base in INTEGERS and mine is not None and _base(mine.type) in EXACT:
        return f"NOT (ROUND({there}) <=> {value})"
    if base in ("decimal", "numeric") and mine is not None and _base(mine.type) in EXACT:
        return (
            f"NOT (CAST({there} AS {theirs.type.partition(')')[0]})) <=> {value})"
            if "(" in theirs.type
            else inexact(there, value)
        )
    return inexact(there, value)


def _base(type: str) -> str:
    return type.lower().partition("(")[0].partition(" ")[0]


def _by_bytes(left: str, right: str) -> str:
    return f"NOT (CAST({left} AS BINARY) <=> CAST({right} AS BINARY))"


def _nulls(left: str, right: str) -> str:
    return f"NOT ((({left}) IS NULL) <=> ({right} IS NULL))"
