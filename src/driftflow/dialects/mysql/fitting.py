"""Which values of a column its new definition does not hold: conditions that every sql_mode answers alike, and whether every value comes back.

A server that is not strict cuts, rounds or empties such values with a warning that nobody reads.
Source: MySQL 8.4 manual, "Server SQL Modes", "Type Conversion in Expression Evaluation", "Cast Functions and Operators"; measured on
MySQL 9.7 and MariaDB 10.11 (a byte that a character set does not know becomes NULL on the one and `?` on the other).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from driftflow.dialects.mysql.charsets import bytes_per_character, is_superset
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.mysql.types import INTEGERS, TEXTS, base_word, length_of, members_of
from driftflow.model.catalog import Column

Unfit = tuple[str, str]
"""(condition over the value, what such a value is: `of more than 7 characters`)"""
LISTS = frozenset({"enum", "set"})
STRINGS = TEXTS - LISTS
BINARIES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
REALS = frozenset({"float", "double"})
NUMBERS = INTEGERS | REALS | {"decimal"}
MOMENTS = frozenset({"date", "datetime", "timestamp"})
BYTES_MOST = {"tiny": 255, "": 65_535, "medium": 16_777_215, "long": 4_294_967_295}
UNICODE = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})
WHOLE = r"^[[:space:]]*[+-]?[0-9]+[[:space:]]*$"
NUMBER = r"^[[:space:]]*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?[[:space:]]*$"
DAY = (
    r"^[[:space:]]*(([0-9]{2}|[0-9]{4})[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"([T[:space:]]+[0-9]{1,2}(:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?)?)?|[0-9]{8}(T?[0-9]{6})?)[[:space:]]*$"
)
"""Without an offset, which MySQL would count into the zone of the session. Both servers read `10:11:12` as a day of 2010, and give an answer to what has a day at its beginning
and anything behind it."""
HOURS = r"^[[:space:]]*-?([0-9]{1,2}|[0-7][0-9]{2}|8[0-2][0-9]|83[0-8]):[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?[[:space:]]*$"
GREATEST = {"float": "3.402823466e38", "double": "1.797693134862315e308"}


def unfit(old: Column, new: Column, value: str, *, mariadb: bool) -> list[Unfit]:
    """Of values that are `value` in SQL. Nothing where every value fits, or nobody can tell (the server's own strictness decides then)."""
    before, after = kind_of(old, mariadb=mariadb), kind_of(new, mariadb=mariadb)
    found: Iterator[Unfit] = iter(())
    if before == "json":
        before = "longtext"
    match (before, after):
        case (_, "json") if before in STRINGS:
            found = iter([(f"NOT json_valid({value})", "that is no JSON")])
        case (_, _) if before in NUMBERS | MOMENTS | {"time"} and after in STRINGS:
            found = _longer(old, new, f"CAST({value} AS CHAR)")
        case (_, _) if before in STRINGS | LISTS and after in STRINGS:
            found = chain(_characters(old, new, value), _longer(old, new, value))
        case (_, _) if before in BINARIES and after in BINARIES:
            found = _more_bytes(old, new, value)
        case (_, _) if before in BINARIES and after in STRINGS:
            found = chain([_undecodable(new, value)], _longer(old, new, value))
        case (_, _) if before in STRINGS and after in BINARIES:
            found = _more_bytes(old, new, value)
        case (_, "enum") if before in STRINGS or before == "enum":
            found = _no_member(old, new, value)
        case ("set", "set"):
            found = _gone_from_set(old, new, value)
        case (_, "set") if before in STRINGS:
            found = iter([_no_members(new, value)])
        case (_, _) if before in NUMBERS and after in INTEGERS | {"decimal"}:
            found = _number(old, new, value)
        case (_, "year") if before in INTEGERS:
            found = iter([(f"{value} <> 0 AND {value} NOT BETWEEN 1901 AND 2155", "outside the range of year")])
        case (_, "bit") if before in INTEGERS:
            found = iter([(f"({value} < 0 OR {value} >= {2 ** length_of(new.type)})", f"outside the range of {new.type}")])
        case ("bit", _) if after in INTEGERS:
            found = iter([(f"{value} + 0 > {bounds_of(new)[1]}", f"outside the range of {new.type}")])
        case (_, _) if before in STRINGS and after in NUMBERS:
            found = _no_number(new, value)
        case (_, _) if before in MOMENTS | {"time"} and after in MOMENTS | {"time"}:
            found = _moment(old, new, value)
        case (_, _) if before in STRINGS and after in MOMENTS | {"time"}:
            found = _no_moment(new, value)
        case _:
            pass
    return [(f"{value} IS NOT NULL AND {condition}", said) for condition, said in found]


def keeps(old: Column, new: Column, *, mariadb: bool) -> bool:
    """Whether every value that fits comes back the same from the new column to the old one."""
    before, after = kind_of(old, mariadb=mariadb), kind_of(new, mariadb=mariadb)
    exact = INTEGERS | {"decimal"}
    plain = STRINGS | {"json"} if base_word(new.type) == "longtext" else STRINGS  # MySQL's own json writes a text anew
    if before in STRINGS | LISTS | {"json"} and after in plain | LISTS:
        return after == before or (after in plain | {"enum"} and (before == "json" or holds(new.charset, old.charset)))
    if (before in BINARIES | STRINGS and after in BINARIES) or (before in BINARIES and after in STRINGS):
        return True
    if before in exact and after in exact | STRINGS:
        return True
    if (before, after) == ("float", "double") or before == after in REALS | {"year"}:
        return True
    if {before, after} == {"date", "datetime"} or before == after in {"date", "datetime", "timestamp", "time"}:
        return True
    return before in {"date", "datetime", "time"} and after in STRINGS


def kind_of(column: Column, *, mariadb: bool) -> str:
    """The type's word; `json` for MariaDB's too, which is a longtext of its own collation."""
    word = base_word(column.type)
    return "json" if mariadb and word == "longtext" and column.collation == "utf8mb4_bin" else word


def holds(new: str, old: str) -> bool:
    """Whether the character set has every character of the other one; an unknown one has not."""
    if new == old or (new in UNICODE and old not in {"", "binary"}) or (old == "ascii" and new):
        return True
    return new in {"utf8mb3", "utf8", "ucs2"} and (
        old in {"utf8mb3", "utf8", "ucs2"} or bytes_per_character(old or "utf8mb4") == 1
    )


def as_stored(column: Column, value: str) -> str:
    """The value as the column compares it: in its character set, under its collation."""
    if not column.charset or not column.collation or base_word(column.type) not in TEXTS:
        return value
    return f"CONVERT({value} USING {column.charset}) COLLATE {column.collation}"


def _characters(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    if base_word(old.type) in LISTS or holds(new.charset, old.charset) or not (old.charset and new.charset):
        return
    back = f"CONVERT(CONVERT({value} USING {new.charset}) USING {old.charset})"
    yield f"NOT (CAST({back} AS BINARY) <=> CAST({value} AS BINARY))", f"with characters that {new.charset} lacks"


def _longer(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    word = base_word(new.type)
    if word in {"char", "varchar"}:
        most, longest = length_of(new.type), _most_characters(old)
        if longest is None or longest > most:
            yield f"char_length({_as_text(old, value)}) > {most}", f"of more than {most} characters"
        if word == "char" and base_word(old.type) != "char":
            yield f"{_as_text(old, value)} LIKE '% '", "that ends in blanks, which a CHAR does not keep"
        return
    bytes_most, at_most = BYTES_MOST[word.removesuffix("text")], _most_bytes(old, new)
    if at_most > bytes_most:
        charset = new.charset or "utf8mb4"
        yield f"length(CONVERT({value} USING {charset})) > {bytes_most}", f"of more than {bytes_most:,} bytes"


def _as_text(old: Column, value: str) -> str:
    return f"CAST({value} AS CHAR)" if base_word(old.type) == "json" else value


def _most_characters(column: Column) -> int | None:
    """None where only bytes are limited."""
    word = base_word(column.type)
    if word in LISTS:
        lengths = [len(one) for one in members_of(column.type)]
        return max(lengths, default=0) if word == "enum" else sum(lengths) + len(lengths)
    return length_of(column.type) if word in {"char", "varchar", "binary", "varbinary"} else None


def _most_bytes(old: Column, new: Column) -> int:
    word, width = base_word(old.type), bytes_per_character(new.charset)
    if word in NUMBERS | MOMENTS | {"time"}:
        return 0
    characters = _most_characters(old)
    if characters is not None:
        return characters * width
    if word == "json":
        return BYTES_MOST["long"]
    held = BYTES_MOST[word.removesuffix("text").removesuffix("blob")]
    same = old.charset == new.charset or is_superset(new.charset, old.charset) or word in BINARIES
    return held if same else held * width


def _more_bytes(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    word = base_word(new.type)
    most = length_of(new.type) if word in {"binary", "varbinary"} else BYTES_MOST[word.removesuffix("blob")]
    characters = _most_characters(old)
    width = bytes_per_character(old.charset) if base_word(old.type) in TEXTS else 1
    longest = (
        characters * width
        if characters is not None
        else BYTES_MOST[base_word(old.type).removesuffix("blob").removesuffix("text")]
    )
    if longest > most:
        yield f"length({value}) > {most}", f"of more than {most:,} bytes"
    if word == "binary" and old.type != new.type:
        yield f"length({value}) < {most}", f"of less than {most} bytes, which a BINARY fills up with zeros"


def _undecodable(new: Column, value: str) -> Unfit:
    charset = new.charset or "utf8mb4"
    return (
        f"NOT (CAST(CONVERT({value} USING {charset}) AS BINARY) <=> CAST({value} AS BINARY))",
        f"with bytes that are no {charset}",
    )


def _no_member(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    members = members_of(new.type)
    if base_word(old.type) == "enum" and all(one in members for one in members_of(old.type)):
        return
    listed = ", ".join(quote_string(one) for one in members)
    exact = f"CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin"
    blanks = "" if base_word(old.type) == "enum" else f" OR {value} LIKE '% '"  # equal to a member, and stored without them
    yield f"({exact} NOT IN ({listed}){blanks})", "that is no member of the new enum"


def _no_members(new: Column, value: str) -> Unfit:
    """In another order, or twice, the server would take them, and keep another text."""
    each = (re.sub(r"([^\w])", r"\\\1", member) for member in members_of(new.type))
    listed = quote_string(f"^{''.join(f'({one}(,|$))?' for one in each)}$")
    exact = f"CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin"
    return f"({exact} NOT REGEXP {listed} OR {value} LIKE '%,')", "that does not list members of the new set in their order"


def _gone_from_set(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    gone = [one for one in members_of(old.type) if one not in members_of(new.type)]
    if gone:
        found = " OR ".join(f"FIND_IN_SET({quote_string(one)}, {value})" for one in gone)
        yield f"({found})", "with a member that the new set has not"


def _number(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    scale = scale_of(new)
    if base_word(old.type) in REALS or _digits(old)[1] > scale:
        yield f"{value} <> ROUND({value}, {scale})", f"with digits that {new.type} does not keep"
    outside = out_of_range(old, new, value)
    if outside:
        yield outside, f"outside the range of {new.type}"


def out_of_range(old: Column, new: Column, value: str) -> str:
    """The condition under which a number is refused by a strict server, once it is rounded; empty where every number fits."""
    if base_word(old.type) not in REALS and _within(old, new):
        return ""
    rounded, (low, high) = f"ROUND({value}, {scale_of(new)})", bounds_of(new)
    return f"({rounded} < {low} OR {rounded} > {high})"


def rounded_off(old: Column, new: Column) -> str:
    """What no server, strict or not, refuses to cut off: digits behind the point, fractions of a second, the time of day. Empty: nothing."""
    before, after = base_word(old.type), base_word(new.type)
    if before in NUMBERS and after in INTEGERS | {"decimal"} and (before in REALS or _digits(old)[1] > scale_of(new)):
        return f"the digits of {old.name} that {new.type} has no place for"
    if after == "date" and before in {"datetime", "timestamp"}:
        return f"the time of day in {old.name}"
    if (
        before != "date"
        and before in MOMENTS | {"time"}
        and after in MOMENTS | {"time"}
        and length_of(old.type) > length_of(new.type)
    ):
        return f"the fractions of a second in {old.name} that {new.type} has no place for"
    return ""


def _no_number(new: Column, value: str) -> Iterator[Unfit]:
    word = base_word(new.type)
    pattern = WHOLE if word in INTEGERS else NUMBER
    written = f"{value} REGEXP {quote_string(pattern)}"
    yield f"NOT ({written})", f"that is no {word}"
    if word in REALS:
        yield f"{written} AND ABS({value} + 0e0) > {GREATEST[word]}", f"outside the range of {new.type}"
        return
    low, high = bounds_of(new)
    exact = f"CAST({value} AS DECIMAL(65, 30))"
    yield f"{written} AND ({exact} < {low} OR {exact} > {high})", f"outside the range of {new.type}"
    if word == "decimal":
        yield f"{written} AND {exact} <> ROUND({exact}, {scale_of(new)})", f"with digits that {new.type} does not keep"


def _no_moment(new: Column, value: str) -> Iterator[Unfit]:
    """The servers' CAST alone answers for a day with anything behind it, and what a strict mode then refuses is met in the middle of the copy."""
    word = base_word(new.type)
    read = f"CAST({value} AS {'TIME' if word == 'time' else 'DATETIME'}(6))"
    written = f"{value} REGEXP {quote_string(HOURS if word == 'time' else DAY)}"
    yield f"NOT ({written} AND {read} IS NOT NULL)", f"that is no {word}"
    if word == "date":
        yield f"{written} AND CAST({read} AS DATE) <> {read}", "with a time of day, which a date does not keep"
    elif (kept := length_of(new.type)) < 6:
        wrong = f"MICROSECOND({read}) % {10 ** (6 - kept)} <> 0"
        yield f"{written} AND {wrong}", f"with fractions of a second that {new.type} does not keep"


def _decimal(scaled: int, scale: int) -> str:
    """`scaled` counts units of the last digit."""
    if not scale:
        return str(scaled)
    sign, digits = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def scale_of(column: Column) -> int:
    """Digits behind the point."""
    return _digits(column)[1]


def bounds_of(column: Column) -> tuple[str, str]:
    """The least and the greatest value of an integer or decimal column, as SQL."""
    low, high = range_of(column)
    return _decimal(low, scale_of(column)), _decimal(high, scale_of(column))


def _digits(column: Column) -> tuple[int, int]:
    """(all digits, digits behind the point)."""
    if base_word(column.type) != "decimal":
        return 0, 0
    whole, _, scale = column.type.partition("(")[2].partition(")")[0].partition(",")
    return int(whole or 10), int(scale or 0)


def _within(old: Column, new: Column) -> bool:
    """Whether the range of the old type lies in that of the new one, in units of the finer of the two."""
    here: int = 10 ** _digits(new)[1]
    there: int = 10 ** _digits(old)[1]
    low, high = range_of(old)
    least, most = range_of(new)
    return low * here >= least * there and high * here <= most * there


def range_of(column: Column) -> tuple[int, int]:
    """The least and the greatest value; of a decimal in units of its last digit."""
    word = base_word(column.type)
    if word == "decimal":
        most = 10 ** _digits(column)[0] - 1
        return (0 if "unsigned" in column.type else -most), most
    bits = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[word]
    return (0, 2**bits - 1) if "unsigned" in column.type else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _moment(old: Column, new: Column, value: str) -> Iterator[Unfit]:
    before, after = base_word(old.type), base_word(new.type)
    if after == "date" and before in {"datetime", "timestamp"}:
        yield f"TIME({value}) <> '00:00:00'", "with a time of day, which a date does not keep"
        return
    kept = length_of(new.type)
    if before != "date" and length_of(old.type) > kept:
        yield f"MICROSECOND({value}) % {10 ** (6 - kept)} <> 0", f"with fractions of a second that {new.type} does not keep"
