"""Column types in the server's own spelling (COLUMN_TYPE of information_schema, in lower case), without the display width of integers:
MySQL dropped it in 8.0.19, and it never meant anything but to the client.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.mysql.keywords import quote_string
from driftflow.dialects.mysql.tokens import TokenFault, string_of, tokenize
from driftflow.dialects.numbers import whole
from driftflow.dialects.tokens import Token

_WORDS: dict[str, str] = {
    "integer": "int",
    "int4": "int",
    "int1": "tinyint",
    "int2": "smallint",
    "int3": "mediumint",
    "middleint": "mediumint",
    "int8": "bigint",
    "bool": "tinyint(1)",
    "boolean": "tinyint(1)",
    "dec": "decimal",
    "fixed": "decimal",
    "numeric": "decimal",
    "real": "double",
    "float8": "double",
    "float4": "float",
    "double precision": "double",
    "character": "char",
    "nchar": "char",
    "national char": "char",
    "national character": "char",
    "varcharacter": "varchar",
    "char varying": "varchar",
    "character varying": "varchar",
    "nvarchar": "varchar",
    "national varchar": "varchar",
    "national char varying": "varchar",
    "national character varying": "varchar",
    "char byte": "binary",
    "long": "mediumtext",
    "long varchar": "mediumtext",
    "long char varying": "mediumtext",
    "long varbinary": "mediumblob",
    "geometrycollection": "geomcollection",
}
INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"})
"""Types whose values have a character set."""
LONG_TYPES = frozenset(
    {"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json", "geometry"}
)
"""Types that an index takes only with a key length, if at all."""
CUT_TYPES = LONG_TYPES - {"geometry"}
"""Those of which MariaDB puts the beginning into an index where no key length is said."""
KEY_BYTES_MAX = {"": 3072, "16384": 3072, "32768": 3072, "65536": 3072, "8192": 1536, "4096": 768}
"""By innodb_page_size; empty where it is not known."""
OLD_COLUMN_BYTES_MAX = 767
"""Of one column of a key where the row format is COMPACT or REDUNDANT."""
SPATIAL_TYPES = frozenset(
    {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geomcollection"}
)
FULLTEXT_TYPES = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_DEFAULT_LENGTH = {"char": "1", "binary": "1", "bit": "1", "decimal": "10,0", "year": "4"}
_SIZES = ((255, "tiny"), (65535, ""), (16777215, "medium"))


def normal_type(type: str) -> str:
    """`INT(11) UNSIGNED` → `int unsigned`; text that is no type comes back in lower case."""
    try:
        tokens, _ = tokenize(type, mariadb=True)
    except TokenFault:
        return type.strip().lower()
    return type_text(tokens) if tokens else ""


def type_text(tokens: Sequence[Token]) -> str:
    """The same for tokens: words, then perhaps ( ... ), then UNSIGNED or ZEROFILL."""
    opening = next((at for at, token in enumerate(tokens) if token.key == "("), len(tokens))
    words = [token.text.lower() for token in tokens[:opening] if token.key not in {"UNSIGNED", "SIGNED", "ZEROFILL"}]
    closing = next((at for at in range(len(tokens) - 1, opening - 1, -1) if tokens[at].key == ")"), opening)
    inside = tokens[opening + 1 : closing]
    behind = {token.key for token in (*tokens[:opening], *tokens[closing:])}
    word = " ".join(words)
    word = _WORDS.get(word, word)
    return _finished(word, inside, unsigned=bool(behind & {"UNSIGNED", "ZEROFILL"}), zerofill="ZEROFILL" in behind)


def _finished(word: str, inside: Sequence[Token], *, unsigned: bool, zerofill: bool) -> str:
    if word in {"enum", "set"}:
        return f"{word}({','.join(quote_string(string_of(one)) for one in inside if one.kind == 'string')})"
    length = "".join(token.text.lower() for token in inside)
    signs = (" unsigned" if unsigned else "") + (" zerofill" if zerofill else "")
    base = word.partition("(")[0]
    if base in INTEGERS:
        if base == "tinyint" and (length == "1" or word == "tinyint(1)") and not unsigned:
            return "tinyint(1)"
        return (f"{base}({length})" if zerofill and length else base) + signs
    number = whole(length)
    if word in {"text", "blob"} and number is not None:
        return next((f"{size}{word}" for most, size in _SIZES if number <= most), f"long{word}")
    if word == "decimal" and length and "," not in length:
        length += ",0"
    if word == "float" and number is not None:
        word, length = ("float" if number <= 24 else "double"), ""
    if word in {"datetime", "timestamp", "time"} and length == "0":
        length = ""
    if word == "year":
        return "year"
    length = length or _DEFAULT_LENGTH.get(word, "")
    return (f"{word}({length})" if length else word) + signs


def base_word(type: str) -> str:
    """`varchar` of `varchar(50)`, `int` of `int unsigned`."""
    return type.partition("(")[0].partition(" ")[0]


def length_of(type: str) -> int:
    """The number in the parentheses: characters of a text type, bytes of a binary one; 0 where there is none."""
    inside = type.partition("(")[2].partition(")")[0]
    return whole(inside) or 0


def members_of(type: str) -> tuple[str, ...]:
    """The members of an ENUM or SET."""
    try:
        tokens, _ = tokenize(type, mariadb=True)
    except TokenFault:
        return ()
    return tuple(string_of(one) for one in tokens if one.kind == "string")
