"""What an index method can do, from the documentation of each and from pg_opclass of 16 and 18: what it cannot makes CREATE INDEX fail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from driftflow.dialects.postgresql.effects.prediction import Prediction
from driftflow.dialects.postgresql.effects.types import Type, read_type
from driftflow.model.catalog import Exclusion, Index, IndexPart, PrimaryKey, Table, Unique
from driftflow.model.record import LocalValue
from driftflow.patterns import lazy_regex

_ORDERED = (
    "bit,bit varying,boolean,character,character varying,text,name,bytea,date,real,double precision,inet,cidr,smallint,integer,bigint,"
    "interval,numeric,time without time zone,time with time zone,timestamp without time zone,timestamp with time zone,uuid,tsvector,"
    "tsquery,jsonb"
)
_RANGES = "int4range,int8range,numrange,tsrange,tstzrange,daterange"
_HASHED = (
    "jsonb,bytea,boolean,character,character varying,text,name,date,real,double precision,inet,cidr,smallint,integer,bigint,interval,numeric,"
    "time without time zone,time with time zone,timestamp without time zone,timestamp with time zone,uuid"
)
_SUMMARIZED = (
    "bit,bit varying,character,character varying,text,name,bytea,date,real,double precision,inet,cidr,smallint,integer,bigint,interval,numeric,"
    "time without time zone,time with time zone,timestamp without time zone,timestamp with time zone,uuid"
)


GEOMETRIC = frozenset({"point", "line", "lseg", "box", "path", "polygon", "circle"})
BRINGS = {"gin": "btree_gin", "gist": "btree_gist"}
"""Extensions that give a method the operator classes of ordinary types."""


class Method(LocalValue, frozen=True, kw_only=True):
    types: str
    """Those with a default operator class; enum, range and array are said apart."""
    enums: bool = False
    arrays: bool = False
    unique: bool = False
    ordered: bool = False
    several: bool = True
    include_since: int = 99
    options: tuple[str, ...] = ("fillfactor",)


METHODS: Mapping[str, Method] = {
    "btree": Method(
        types=f"{_ORDERED},{_RANGES}",
        enums=True,
        arrays=True,
        unique=True,
        ordered=True,
        include_since=11,
        options=("fillfactor", "deduplicate_items"),
    ),
    "hash": Method(types=f"{_HASHED},{_RANGES}", enums=True, arrays=True, several=False),
    "gin": Method(types="jsonb,tsvector", arrays=True, options=("fastupdate", "gin_pending_list_limit")),
    "gist": Method(
        types=f"tsvector,tsquery,point,box,polygon,circle,{_RANGES}", include_since=12, options=("fillfactor", "buffering")
    ),
    "spgist": Method(types=f"text,character varying,inet,cidr,point,box,polygon,{_RANGES}", several=False, include_since=14),
    "brin": Method(types=f"{_SUMMARIZED},box,{_RANGES}", options=("pages_per_range", "autosummarize")),
}


def refuse_by_method(p: Prediction, index: Index, table: Table | None) -> None:
    """Certain failures of CREATE INDEX that follow from the method and the types; nothing for the method of an extension."""
    name = index.method or "btree"
    method = METHODS.get(name)
    if method is None:
        return
    for reason in _beyond(p, index, method, name):
        p.fails("unsupported", reason, relation=index.table, certain=True)
    _without_class(p, table, index.parts, name)


def needs_partition_key(p: Prediction, table: Table, columns: tuple[str, ...]) -> None:
    """No index spans partitions: only one that contains the partition key can be unique."""
    if table.partitioning is not None and not set(table.partitioning.key) <= set(columns):
        p.fails(
            "unsupported",
            f"a unique key of a partitioned table must contain its partition key ({', '.join(table.partitioning.key)})",
            relation=table.name,
            certain=True,
        )


def refuse_key(p: Prediction, item: PrimaryKey | Unique | Exclusion, table: Table | None) -> None:
    """The same for the index behind a constraint. Other exclusion constraints bring their own operator classes."""
    columns = () if isinstance(item, Exclusion) else item.columns
    _without_class(p, table, tuple(IndexPart(column=column) for column in columns), "btree")


def _beyond(p: Prediction, index: Index, method: Method, name: str) -> Iterator[str]:
    if index.unique and not method.unique:
        yield f"{name} has no unique indexes"
    if len(index.parts) > 1 and not method.several:
        yield f"{name} has no indexes over several columns"
    if index.include and not (method.include_since < 99 and p.at_least(method.include_since)):
        yield f"{name} has no INCLUDE"
    if not method.ordered and any(part.descending or part.nulls_first is not None for part in index.parts):
        yield f"{name} has no order: ASC, DESC and NULLS FIRST are refused"
    for option in index.options:
        if option.partition("=")[0].strip() not in method.options:
            yield f"{name} has no storage parameter {option.partition('=')[0].strip()}"


def _without_class(p: Prediction, table: Table | None, parts: tuple[IndexPart, ...], name: str) -> None:
    if any(one.name == BRINGS.get(name) for one in p.catalog.extensions):
        return
    for part in parts:
        if (
            part.expression
            and not part.opclass
            and _TEXT.fullmatch(part.expression)
            and not has_class(Type(name="text"), METHODS[name])
        ):
            p.fails(
                "operator_class", f"text has no operator class for {name}", relation=table.name if table else None, certain=True
            )
        cast = _CAST.fullmatch(part.expression)
        source = table.column(cast["column"]) if table is not None and cast is not None else None
        if table is not None and source is not None and _stable_as_text(read_type(source.type, p.catalog)):
            p.fails(
                "unsupported",
                f"{source.type} as text is not immutable: no index can be over it",
                relation=table.name,
                certain=True,
            )
        column = table.column(part.column) if table is not None and part.column and not part.opclass else None
        if column is not None and not has_class(read_type(column.type, p.catalog), METHODS[name]):
            p.fails(
                "operator_class",
                f"{column.type} has no operator class for {name}",
                relation=table.name if table else None,
                certain=True,
            )


_TEXT = lazy_regex(r"\(*(?:lower|upper|md5|btrim|initcap)\(.*|.*::text\)*", re.IGNORECASE)
"""Expressions that are text whatever they are made of."""


_CAST = lazy_regex(r"\(*\"?(?P<column>\w+)\"?\)*::text\)*")


def _stable_as_text(type: Type) -> bool:
    """Types whose text depends on settings or on other catalogs."""
    return (
        type.array
        or type.name in ("date", "timestamp without time zone", "timestamp with time zone")
        or (type.name in _RANGES.split(",") or (type.defined is not None and type.defined.kind in ("enum", "range")))
    )


def has_class(type: Type, method: Method) -> bool:
    """Whether the method has a default operator class for the type. The types of extensions count as having one."""
    if type.array:
        return method.arrays
    if type.defined is not None:
        return method.enums if type.defined.kind == "enum" else True
    known = {*_ORDERED.split(","), *_RANGES.split(","), "json", "xml"}
    return type.name in method.types.split(",") or type.name not in known | GEOMETRIC
