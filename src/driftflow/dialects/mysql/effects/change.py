"""What MODIFY, CHANGE and their relatives need for one column: decided by the old and the new definition and the table around it."""

from __future__ import annotations

from dataclasses import replace

from driftflow.dialects.mysql.capabilities import EIGHT, INSTANT_ADD_LAST, INSTANT_ANYWHERE, INSTANT_RENAME
from driftflow.dialects.mysql.charsets import bytes_per_character, collation_of, is_superset
from driftflow.dialects.mysql.effects.grade import COPY, IN_PLACE, INSTANT, REBUILD, Grade, because, weakest
from driftflow.dialects.mysql.effects.prediction import Prediction, quoted
from driftflow.dialects.mysql.fitting import NUMBERS, out_of_range, rounded_off
from driftflow.dialects.mysql.keywords import quote, quote_string
from driftflow.dialects.mysql.types import INTEGERS, TEXTS, base_word, length_of, members_of
from driftflow.model.catalog import Column, Table

_SMALL = 255
"""Most bytes that a length of one byte can say."""
_ALWAYS_INSTANT_OLD = 127
"""MariaDB: a column of at most so many bytes may grow past 255 without a rewrite (MDEV-11424; measured)."""


def metadata(p: Prediction) -> Grade:
    """A change of the dictionary alone: INSTANT where the server has the word, in place before."""
    return INSTANT if p.mariadb or p.version >= INSTANT_ADD_LAST else IN_PLACE


def is_virtual(column: Column) -> bool:
    return column.generated is not None and not column.generated.stored


def has_virtual(table: Table) -> bool:
    return any(map(is_virtual, table.columns))


def has_stored(table: Table) -> bool:
    """Generated columns that are kept: stored ones, and virtual ones in an index."""
    return any(
        column.generated is not None and (column.generated.stored or is_indexed(table, column.name)) for column in table.columns
    )


def has_functional(table: Table) -> bool:
    """Whether MySQL keeps a hidden virtual column for an index over an expression."""
    return any(part.expression for index in table.indexes for part in index.parts)


def option(table: Table, name: str) -> str:
    """The value of a table option, upper case; empty where it is the default."""
    return next((one.partition("=")[2].upper() for one in table.options if one.partition("=")[0] == name), "")


def is_redundant(table: Table) -> bool:
    return option(table, "ROW_FORMAT") == "REDUNDANT"


def is_compressed(table: Table) -> bool:
    return option(table, "ROW_FORMAT") == "COMPRESSED" or option(table, "KEY_BLOCK_SIZE") not in {"", "0"}


def has_fulltext(table: Table) -> bool:
    return any(index.method == "fulltext" for index in table.indexes)


def in_foreign_key(p: Prediction, table: Table, column: str) -> bool:
    """Whether a foreign key of the table or to it contains the column."""
    own = any(column in key.columns for key in table.foreign_keys)
    return own or any(column in key.referenced_columns for _, key in p.catalog.referencing(table.name))


def is_indexed(table: Table, column: str) -> bool:
    primary = table.primary_key
    if primary is not None and column in primary.columns:
        return True
    return any(part.column == column for index in table.indexes for part in index.parts)


def change_grade(p: Prediction, table: Table, old: Column, new: Column, position: str = "") -> Grade:
    """The weakest of everything that differs."""
    grades = [_type_grade(p, table, old, new)]
    if old.name != new.name:
        grades.append(_renamed(p, table, old.name))
    if old.nullable and not new.nullable:
        grades.append(_not_null(p, table, old, new))
    elif new.nullable and not old.nullable:
        grades.append(_nullable(p, table))
    if (old.default, old.on_update, old.comment, old.visible) != (new.default, new.on_update, new.comment, new.visible):
        grades.append(metadata(p))
    if position and not stays(table, old.name, position):
        grades.append(_moved(p, old))
    if old.generated is not None or new.generated is not None:
        grades.append(_computed_anew(p, table, old, new))
    if new.autoincrement and not old.autoincrement:
        grades.append(because(COPY, "the column becomes AUTO_INCREMENT"))
    elif old.autoincrement and not new.autoincrement and not p.mariadb:
        grades.append(because(COPY, "the column loses AUTO_INCREMENT"))
    return weakest(grades)


def _computed_anew(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    """A generated column stated anew. MariaDB copies for a stored one even where nothing changes (measured)."""
    before, after = old.generated, new.generated
    virtual = (before is not None and not before.stored, after is not None and not after.stored)
    if any(virtual) and virtual != (True, True):
        p.fails("unsupported", f"{old.name} cannot change between virtual and stored or plain", relation=table.name, certain=True)
        return COPY
    if before is None or after is None:
        return because(COPY, "the column becomes generated, or plain")
    same = before.expression == after.expression
    if p.mariadb:
        kept = not virtual[0] or is_indexed(table, old.name)
        return because(COPY, "the column is generated and kept in the table or an index") if kept else INSTANT
    return metadata(p) if same else because(COPY, "what the column computes changes")


def _renamed(p: Prediction, table: Table, column: str) -> Grade:
    return rename_grade(p, table, column)


def rename_grade(p: Prediction, table: Table, column: str) -> Grade:
    """A copy is refused where a foreign key contains the column; where one points at it, MySQL needs INPLACE (both measured)."""
    instant = p.mariadb or p.version >= INSTANT_RENAME
    if in_foreign_key(p, table, column):
        pointed_at = any(column in key.referenced_columns for _, key in p.catalog.referencing(table.name))
        instant = instant and (p.mariadb or not pointed_at)
        return Grade(instant=instant, inplace="NONE", copy="", reason="a foreign key contains the column")
    return INSTANT if instant else IN_PLACE


def _not_null(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    if old.generated is not None:
        return because(COPY, "the column is generated")
    name, column = quoted(table.name), quote(old.name)
    p.fails(
        "nulls",
        f"{table.name.name}.{old.name} holds NULL",
        relation=table.name,
        probe=f"SELECT count(*) FROM {name} WHERE {column} IS NULL",
    )
    if not p.strict:
        p.loses(f"NULL in {old.name} silently becomes 0 or '' (sql_mode is not strict)", table.name)
        return because(COPY, "NULL may have to be converted, for sql_mode is not strict")
    if p.mariadb and has_stored(table):
        return because(COPY, "the table has stored generated columns")
    if not p.mariadb and p.checks_foreign_keys and in_foreign_key(p, table, old.name):
        # Measured on 9.7, at both ends: error 1832 for COPY, unless foreign_key_checks is off. The other way, to NULL, COPY is accepted.
        why = "every row is checked and written anew, and a foreign key contains the column"
        return Grade(inplace="NONE", rebuilds=True, copy="", reason=why)
    return because(REBUILD, "every row is checked and written anew")


def _nullable(p: Prediction, table: Table) -> Grade:
    if p.mariadb and is_redundant(table):
        return INSTANT
    return because(REBUILD, "the rows' headers change")


def stays(table: Table, column: str, position: str) -> bool:
    names = [one.name for one in table.columns]
    at = names.index(column)
    word, _, anchor = position.partition(" ")
    return at == 0 if word == "FIRST" else at > 0 and names[at - 1] == anchor


def _moved(p: Prediction, column: Column) -> Grade:
    if p.mariadb or (is_virtual(column) and p.version >= INSTANT_ANYWHERE):
        return INSTANT
    return replace(REBUILD, instant_in_company=p.version >= INSTANT_ANYWHERE, reason="the column moves")


def _type_grade(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    """What the change of type, character set and collation needs."""
    if old.type == new.type and _same_text(p, old, new):
        return metadata(p) if old.name == new.name else INSTANT if p.mariadb or p.version >= EIGHT else IN_PLACE
    if (old.generated is not None or new.generated is not None) and old.type != new.type:
        _conversion(p, table, old, new)
        return because(COPY, "the type of a generated column changes")
    before, after = base_word(old.type), base_word(new.type)
    if before == after == "varchar":
        return _varchar(p, table, old, new)
    if before == after and before in {"enum", "set"} and _same_text(p, old, new):
        return _members(p, table, old, new)
    if after == "varbinary" and before == "varchar" and not p.mariadb and not is_indexed(table, old.name):
        bytes_before = length_of(old.type) * bytes_per_character(old.charset)
        grown = _lengths(p, table, bytes_before, length_of(new.type))
        return IN_PLACE if grown.inplace and not grown.rebuilds else grown
    if before == after == "varbinary":
        return _lengths(p, table, length_of(old.type), length_of(new.type))
    if before == after and before in {"enum", "set"} and members_of(old.type) == members_of(new.type):
        return because(COPY, "the collation changes") if p.mariadb else metadata(p)
    if old.type == new.type and before in TEXTS:
        return _recoded(p, table, old, new)
    _conversion(p, table, old, new)
    return because(COPY, f"values change from {old.type} to {new.type}")


def _same_text(p: Prediction, old: Column, new: Column) -> bool:
    if base_word(new.type) not in TEXTS:
        return True
    if (old.charset or new.charset) and old.charset != new.charset and old.charset and new.charset:
        return False
    mine = collation_of(old.charset, old.collation, mariadb=p.mariadb, version=p.version)
    theirs = collation_of(new.charset or old.charset, new.collation, mariadb=p.mariadb, version=p.version)
    return mine == theirs or not mine or not theirs


def _varchar(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    recoded = None if _same_text(p, old, new) else _recoded(p, table, old, new)
    if recoded is not None and not recoded.inplace:
        return recoded
    width = bytes_per_character(old.charset), bytes_per_character(new.charset or old.charset)
    characters = length_of(old.type), length_of(new.type)
    if characters[1] < characters[0]:
        _too_long(p, table, old, characters[1])
        return because(COPY, "the column becomes shorter")
    grown = _lengths(p, table, characters[0] * width[0], characters[1] * width[1])
    if recoded is None:
        return grown
    return weakest([recoded, grown])


def _lengths(p: Prediction, table: Table, before: int, after: int) -> Grade:
    """By the bytes that the longest value takes: a length of one byte says up to 255."""
    if after < before:
        return because(COPY, "the column becomes shorter")
    if after == before:
        return metadata(p)
    crosses = before <= _SMALL < after
    if not p.mariadb:
        if crosses:
            return because(
                COPY, f"the longest value grows from {before} to {after} bytes: past 255 its length takes a second byte"
            )
        return IN_PLACE
    if not crosses or before <= _ALWAYS_INSTANT_OLD or is_redundant(table):
        return INSTANT
    return because(COPY, f"the longest value grows from {before} to {after} bytes: past 255 its length takes a second byte")


def _members(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    """ENUM and SET: members may be added at the end while a value takes as many bytes as before."""
    before, after = members_of(old.type), members_of(new.type)
    is_set = base_word(new.type) == "set"
    if after[: len(before)] == before and _member_bytes(len(before), is_set) == _member_bytes(len(after), is_set):
        return metadata(p)
    if any(one not in after for one in before):
        _no_members(p, table, old, new)
    if after[: len(before)] == before:
        return because(COPY, "so many members need another byte in each row")
    return because(COPY, "members are removed or change their place")


def _member_bytes(members: int, is_set: bool) -> int:
    if is_set:
        return next(size for size in (1, 2, 3, 4, 8) if members <= 8 * size)
    return 1 if members <= _SMALL else 2


def _recoded(p: Prediction, table: Table, old: Column, new: Column) -> Grade:
    """Another character set or collation, the type being the same."""
    indexed = is_indexed(table, old.name)
    if old.charset == (new.charset or old.charset):
        if p.mariadb and any(old.name in index.columns for index in table.indexes if index.method == "fulltext"):
            return because(COPY, "a FULLTEXT index contains the column")
        if p.mariadb:
            return because(IN_PLACE, "its indexes are built anew") if indexed else INSTANT
        if not indexed and p.version >= EIGHT:
            return IN_PLACE
        return because(COPY, "the collation changes")
    if is_superset(new.charset, old.charset):
        if p.mariadb:
            return because(IN_PLACE, "its indexes are built anew") if indexed else INSTANT
        if not indexed and p.version >= EIGHT and old.charset != "ascii":
            return IN_PLACE
    return because(COPY, f"values are converted from {old.charset} to {new.charset}")


def _too_long(p: Prediction, table: Table, old: Column, most: int) -> None:
    column = quote(old.name)
    p.fails(
        "too_long",
        f"{table.name.name}.{old.name} holds values of more than {most} characters",
        relation=table.name,
        probe=f"SELECT count(*) FROM {quoted(table.name)} WHERE char_length({column}) > {most}",
    )
    if not p.strict:
        p.loses(f"values of {old.name} are silently cut to {most} characters (sql_mode is not strict)", table.name)


def _conversion(p: Prediction, table: Table, old: Column, new: Column) -> None:
    """What may not fit into the new type, or change on the way."""
    before, after = base_word(old.type), base_word(new.type)
    name, column = quoted(table.name), quote(old.name)
    rounded = rounded_off(old, new)
    if rounded:
        p.loses(rounded, table.name)
    if before in INTEGERS and after in INTEGERS:
        low, high = integer_range(new.type)
        old_low, old_high = integer_range(old.type)
        if low > old_low or high < old_high:
            p.fails(
                "out_of_range",
                f"{table.name.name}.{old.name} holds values outside {low} to {high}",
                relation=table.name,
                probe=f"SELECT count(*) FROM {name} WHERE {column} < {low} OR {column} > {high}",
            )
        return
    if (after == "json" or (p.mariadb and _becomes_json(new))) and before in TEXTS:
        p.fails(
            "bad_cast",
            f"{table.name.name}.{old.name} holds text that is no JSON",
            relation=table.name,
            probe=f"SELECT count(*) FROM {name} WHERE NOT json_valid({column})",
        )
        return
    if after in {"char", "varchar"} and before in TEXTS:
        most = length_of(new.type)
        if length_of(old.type) == 0 or length_of(old.type) > most:
            _too_long(p, table, old, most)
        return
    if after in {"enum", "set"} and before in TEXTS:
        _no_members(p, table, old, new)
        return
    if before in NUMBERS and after in INTEGERS | {"decimal"}:
        outside = out_of_range(old, new, column)
        if outside:
            p.fails(
                "out_of_range",
                f"{table.name.name}.{old.name} holds values outside the range of {new.type}",
                relation=table.name,
                probe=f"SELECT count(*) FROM {name} WHERE {outside}",
            )
        return
    if before != after and not (before in TEXTS and after in TEXTS):
        p.fails("bad_cast", f"a value of {table.name.name}.{old.name} may not fit {new.type}", relation=table.name)


def _no_members(p: Prediction, table: Table, old: Column, new: Column) -> None:
    members = ", ".join(quote_string(one) for one in members_of(new.type))
    p.fails(
        "bad_cast",
        f"{table.name.name}.{old.name} holds values that are no members of {new.type}",
        relation=table.name,
        probe=f"SELECT count(*) FROM {quoted(table.name)} WHERE {quote(old.name)} NOT IN ({members})",
    )
    if not p.strict:
        p.loses(f"values of {old.name} that are no members silently become '' (sql_mode is not strict)", table.name)


def _becomes_json(new: Column) -> bool:
    return new.type == "longtext" and new.collation == "utf8mb4_bin"


def integer_range(type_: str) -> tuple[int, int]:
    """The smallest and the largest value of an integer type."""
    bits = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[base_word(type_)]
    if "unsigned" in type_:
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
