"""What does not fit: keys that are too long, and rows that are too large, whether or not any row is.

Only InnoDB tables, with pages of 16 KB for what must fit into a page; where a column's size is not known nothing is said.
Source: MySQL 8.4 manual, "Limits on Table Column Count and Row Size" and "InnoDB Limits"; MariaDB documentation, "InnoDB Limitations",
"Unique Index" (a long unique key is kept as a hash); measured on MySQL 9.7 and MariaDB 10.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftflow.dialects.mysql.charsets import bytes_per_character
from driftflow.dialects.mysql.effects.change import is_redundant, option
from driftflow.dialects.mysql.effects.prediction import Prediction
from driftflow.dialects.mysql.types import KEY_BYTES_MAX, LONG_TYPES, OLD_COLUMN_BYTES_MAX, TEXTS, base_word, members_of
from driftflow.model.catalog import Catalog, Column, IndexPart, Table
from driftflow.model.names import Name

ROW_BYTES_MAX = 65_535
"""Of all columns together, as the server counts them: TEXT and BLOB are pointers."""
PAGE_ROW_BYTES_MAX = 8126
_FIXED = {
    "tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8, "float": 4, "double": 8, "date": 3, "year": 1,
}  # fmt: skip
_MOMENTS = {"time": 3, "datetime": 5, "timestamp": 4}
_POINTERS = {
    "tinytext": 9, "tinyblob": 9, "text": 10, "blob": 10, "mediumtext": 11, "mediumblob": 11, "longtext": 12, "longblob": 12, "json": 12,
}  # fmt: skip
_LOCAL_BYTES = 40
"""DYNAMIC: what a long value keeps in the row on MySQL; shorter ones stay whole."""
_LOCAL_BYTES_MARIADB = 20
_ANTELOPE_BYTES = 768 + 20


def refuse_too_large(predictions: Sequence[Prediction], name: Name | None, after: Catalog | None) -> None:
    """Say of the statement what its table will not fit into, and did not violate before."""
    first = predictions[0] if predictions else None
    if first is None or name is None or after is None:
        return
    before, now = first.catalog.table(name), after.table(name)
    if now is None or now.partial or option(now, "ENGINE") not in {"", "INNODB"}:
        return
    known = set(_faults(first, before)) if before is not None else set()
    for summary in _faults(first, now):
        if summary not in known:
            first.fails("unsupported", summary, relation=name, certain=True)


def _faults(p: Prediction, table: Table) -> Iterator[str]:
    yield from _keys(p, table)
    yield from _row(p, table)


# keys


def _keys(p: Prediction, table: Table) -> Iterator[str]:
    primary = table.primary_key
    if primary is not None:
        parts = primary.parts or tuple(IndexPart(column=column) for column in primary.columns)
        yield from _key(p, table, "the primary key", parts, unique=False, primary=True)
    for index in table.indexes:
        if index.method in {"", "btree", "hash"}:
            yield from _key(p, table, f"index {index.name.name}", index.parts, unique=index.unique)


def _key(
    p: Prediction, table: Table, what: str, parts: Sequence[IndexPart], *, unique: bool, primary: bool = False
) -> Iterator[str]:
    sizes = [_part_bytes(table, part) for part in parts]
    if not all(sizes):
        return
    longest = _longest_key(p)
    whole = sum(size or 0 for size in sizes)
    alone = len(parts) == 1 and not primary
    if is_redundant(table) or option(table, "ROW_FORMAT") == "COMPACT":
        for part, size in zip(parts, sizes, strict=True):
            if (size or 0) > OLD_COLUMN_BYTES_MAX:
                row_format = option(table, "ROW_FORMAT")
                yield f"{what} takes {size:,} bytes of {part.column}, and ROW_FORMAT={row_format} at most {OLD_COLUMN_BYTES_MAX}"
                return
    if whole <= longest:
        return
    if p.mariadb and (unique or alone):
        return  # kept as a hash, or cut
    if not p.mariadb and alone and not unique and not p.strict:
        return  # cut, with a warning
    yield f"{what} takes {whole:,} bytes, and a key at most {longest:,}"


def kept_as_hash(p: Prediction, table: Table, parts: Sequence[IndexPart]) -> bool:
    """Of a unique key of MariaDB's: whether it is longer than an index takes, or of a length that nobody said."""
    columns = [table.column(part.column) if part.column and part.prefix is None else None for part in parts]
    if any(column is not None and base_word(column.type) in LONG_TYPES for column in columns):
        return True
    sizes = [_part_bytes(table, part) for part in parts]
    return all(sizes) and sum(size or 0 for size in sizes) > _longest_key(p)


def _longest_key(p: Prediction) -> int:
    return KEY_BYTES_MAX.get(p.catalog.settings.get("innodb_page_size", ""), 3072)


def _part_bytes(table: Table, part: IndexPart) -> int | None:
    column = table.column(part.column) if part.column else None
    if column is None or not _is_measurable(column):
        return None
    word = base_word(column.type)
    if part.prefix is not None:
        return part.prefix * (bytes_per_character(column.charset) if word in TEXTS else 1)
    if word in {"varchar", "varbinary"}:
        return _characters(column)
    return _column_bytes(column) if word not in _POINTERS else None


# rows


def _row(p: Prediction, table: Table) -> Iterator[str]:
    stored = [one for one in table.columns if one.generated is None or one.generated.stored]
    if not all(_is_measurable(one) for one in stored):
        return
    most = ROW_BYTES_MAX - 3 if p.mariadb else ROW_BYTES_MAX
    for column in stored:
        size = _characters(column) if base_word(column.type) in {"varchar", "varbinary"} else 0
        if size > most and p.strict:
            yield f"column {column.name} takes {size:,} bytes, and a column at most {most:,}"
            return
    sizes = [_column_bytes(column) for column in stored]
    if not all(sizes):
        return
    whole = sum(size or 0 for size in sizes) + (sum(one.nullable for one in stored) + 7) // 8
    if whole > ROW_BYTES_MAX:
        yield f"a row of {table.name.name} takes up to {whole:,} bytes without its TEXT and BLOB values, and a row at most {ROW_BYTES_MAX:,}"
        return
    strict = p.catalog.settings.get("innodb_strict_mode", "ON").upper() in {"ON", "1"}
    if strict and p.catalog.settings.get("innodb_page_size", "16384") == "16384":
        yield from _in_page(p, table, stored)


def _in_page(p: Prediction, table: Table, stored: Sequence[Column]) -> Iterator[str]:
    """What a row keeps in its page, when everything long has gone to pages of its own."""
    if option(table, "ROW_FORMAT") not in {"", "DEFAULT", "DYNAMIC", "COMPACT"}:
        return
    compact = option(table, "ROW_FORMAT") == "COMPACT"
    local = _ANTELOPE_BYTES if compact else _LOCAL_BYTES_MARIADB if p.mariadb else _LOCAL_BYTES
    whole = 5 + 6 + 7 + (sum(one.nullable for one in stored) + 7) // 8  # header, transaction and undo pointer
    for column in stored:
        word = base_word(column.type)
        longest = _characters(column) if word in {"char", "varchar", "varbinary"} else _column_bytes(column) or 0
        varies = word in {"varchar", "varbinary"} or (word == "char" and bytes_per_character(column.charset) > 1)
        if word in _POINTERS or (varies and longest > (local if compact else _LOCAL_BYTES)):
            whole += local + (2 if compact else 1)
        else:
            whole += longest + (1 if varies else 0)
    if whole > PAGE_ROW_BYTES_MAX:
        yield f"a row of {table.name.name} keeps {whole:,} bytes in its page, and there is room for {PAGE_ROW_BYTES_MAX:,}"


def _is_measurable(column: Column) -> bool:
    """Whether its characters are known to take so many bytes, and its length is a number."""
    digits = column.type.partition("(")[2].partition(")")[0]
    counted = base_word(column.type) not in {"char", "varchar", "binary", "varbinary", "decimal", "bit", *_MOMENTS}
    plain = counted or not digits or digits.replace(",", "").isdigit()
    return plain and (base_word(column.type) not in TEXTS or bool(column.charset))


def _characters(column: Column) -> int:
    """Bytes of the longest value of CHAR, VARCHAR and their binary twins."""
    length = int(column.type.partition("(")[2].partition(")")[0] or 1)
    return length * (bytes_per_character(column.charset) if base_word(column.type) in TEXTS else 1)


def _column_bytes(column: Column) -> int | None:
    """As the server counts the row; None for a type that is not known here."""
    word = base_word(column.type)
    if word in _FIXED or word in _POINTERS:
        return _FIXED.get(word) or _POINTERS[word]
    digits = column.type.partition("(")[2].partition(")")[0]
    match word:
        case "time" | "datetime" | "timestamp":
            return _MOMENTS[word] + (int(digits or 0) + 1) // 2
        case "char" | "binary":
            return _characters(column)
        case "varchar" | "varbinary":
            size = _characters(column)
            return size + (1 if size < 256 else 2)
        case "enum":
            return 1 if len(members_of(column.type)) < 256 else 2
        case "set":
            return next(size for size in (1, 2, 3, 4, 8) if len(members_of(column.type)) <= 8 * size)
        case "bit":
            return (int(digits or 1) + 7) // 8
        case "decimal":
            precision, _, scale = digits.partition(",")
            return _decimal(int(precision or 10) - int(scale or 0)) + _decimal(int(scale or 0))
        case _:
            return None


def _decimal(digits: int) -> int:
    """Nine digits in four bytes, and the rest in as few as hold them."""
    return digits // 9 * 4 + (digits % 9 + 1) // 2
