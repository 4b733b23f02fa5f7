"""Made-up values as PostgreSQL writes them."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.lab.rows.spelling import Spelling, limit_of, scale_of
from driftflow.model.catalog import Catalog, Column, TypeDefinition
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex

SUBTYPE = lazy_regex(r"\bsubtype = (?P<type>[^,]+)")
WHOLE = {"smallint": 30_000, "integer": 2_000_000_000, "bigint": 2_000_000_000}
PLAIN = {
    "boolean": "({k} % 2 = 0)",
    "real": "({k}::real / 4)",
    "double precision": "({k}::double precision / 4)",
    "money": "({k})::integer::money",
    "date": "(DATE '2021-01-04' + ({k} % 1500)::integer)",
    "uuid": "md5('driftflow ' || ({k}))::uuid",
    "json": "json_build_object('n', {k})",
    "jsonb": "jsonb_build_object('n', {k})",
    "bytea": "decode(md5(({k})::text), 'hex')",
    "inet": "('10.' || ({k} / 65536 % 256) || '.' || ({k} / 256 % 256) || '.' || ({k} % 256))::inet",
    "cidr": "('10.' || ({k} / 65536 % 256) || '.' || ({k} / 256 % 256) || '.' || ({k} % 256) || '/32')::cidr",
    "macaddr": "('08:00:2b:' || substr(md5(({k})::text), 1, 2) || ':' || substr(md5(({k})::text), 3, 2) || ':' || substr(md5(({k})::text), 5, 2))::macaddr",
    "macaddr8": "('08:00:2b:00:00:' || substr(md5(({k})::text), 1, 2) || ':' || substr(md5(({k})::text), 3, 2) || ':' || substr(md5(({k})::text), 5, 2))::macaddr8",
    "interval": "make_interval(mins => ({k} % 100000)::integer)",
    "point": "point({k}, {k} % 90)",
    "line": "line(point(0, 0), point(1, ({k}) + 1))",
    "lseg": "lseg(point(0, 0), point({k}, 1))",
    "box": "box(point({k}, 0), point(({k}) + 1, 1))",
    "path": "polygon(box(point({k}, 0), point(({k}) + 1, 1)))::path",
    "polygon": "polygon(box(point({k}, 0), point(({k}) + 1, 1)))",
    "circle": "circle(point({k}, 0), 1)",
    "pg_lsn": "('0/' || to_hex({k}))::pg_lsn",
    "tsquery": "to_tsquery('simple', 'word' || ({k}))",
    "jsonpath": "('$.n' || ({k}))::jsonpath",
    "tsvector": "to_tsvector('simple', 'word' || ({k}))",
    "xml": "('<n>' || ({k}) || '</n>')::xml",
    "oid": "({k})::oid",
    "name": "('name' || ({k}))::name",
    "int4range": "int4range(({k})::integer, ({k})::integer + 1)",
    "int8range": "int8range({k}, {k} + 1)",
    "numrange": "numrange({k}, {k} + 1)",
    "daterange": "daterange(DATE '2021-01-04' + ({k} % 1500)::integer, DATE '2021-01-05' + ({k} % 1500)::integer)",
    "tstzrange": "tstzrange(TIMESTAMPTZ '2021-01-04 00:00:00+00' + ({k}) * interval '1 hour', TIMESTAMPTZ '2021-01-04 01:00:00+00' + ({k}) * interval '1 hour')",
    "tsrange": "tsrange(TIMESTAMP '2021-01-04' + ({k}) * interval '1 hour', TIMESTAMP '2021-01-04 01:00:00' + ({k}) * interval '1 hour')",
}
TIMES = {
    "timestamp with time zone": "(TIMESTAMPTZ '2021-01-04 08:00:00+00' + ({k} % 500000) * interval '97 second')",
    "timestamp without time zone": "(TIMESTAMP '2021-01-04 08:00:00' + ({k} % 500000) * interval '97 second')",
    "time without time zone": "(TIME '08:00' + ({k} % 40000) * interval '1 second')",
    "time with time zone": "(TIMETZ '08:00+00' + ({k} % 40000) * interval '1 second')",
}


class PostgresqlSpelling(Spelling):
    def series(self, count: int) -> str:
        return f"generate_series(1::bigint, {count}) AS s(n)"

    def divided(self, number: str, by: int) -> str:
        return f"({number} / {by})"

    def as_text(self, number: str) -> str:
        return f"({number})::text"

    def padded(self, text: str, length: int) -> str:
        return f"rpad({text}, {length}, 'x')"

    def last(self, text: str, length: int) -> str:
        return f"right({text}, {length})"

    def joined(self, parts: Sequence[str]) -> str:
        return f"({' || '.join(parts)})"

    def value(self, column: Column, k: str, catalog: Catalog) -> str | None:
        type = column.type
        if type.endswith("[]"):
            inner = self.value(replace(column, type=type[:-2]), k, catalog)
            return f"ARRAY[{inner}]::{type}" if inner is not None else None
        base = type.partition("(")[0].strip()
        if base in WHOLE:
            return f"(1 + {k} % {WHOLE[base]})::{base}"
        if base in ("numeric", "decimal"):
            return self._numeric(type, k)
        if base in PLAIN:
            return PLAIN[base].format(k=k)
        if (single := base.replace("multirange", "range")) != base and single in PLAIN:
            return f"{base}({PLAIN[single].format(k=k)})"
        for name, form in TIMES.items():
            if type == name or (type.startswith(name.split(" ")[0]) and type.endswith(name.partition(" ")[2]) and "(" in type):
                return form.format(k=k)
        if base in ("text", "citext", "character varying"):
            return f"{self.text(column, k, limit=limit_of(type))}::{type}"
        if base in ("character", "bpchar"):
            return f"{self.last(self.as_text(k), limit_of(type) or 1)}::{type}"
        if base in ("bit", "bit varying"):
            length = limit_of(type) or 1
            return f"(({k}) % {2 ** min(length, 30)})::integer::bit({min(length, 32)})::{type}"
        return self._defined(column, k, catalog)

    def _numeric(self, type: str, k: str) -> str:
        whole = (limit_of(type) or 12) - scale_of(type)
        biggest = 10 ** max(0, min(whole, 9)) - 1
        fraction = f" + ({k} % 100) / 100.0" if scale_of(type) >= 2 else ""
        return f"((1 + {k}) % {biggest + 1}{fraction})::{type}" if biggest else f"(({k} % 10) / 100.0)::{type}"

    def _defined(self, column: Column, k: str, catalog: Catalog) -> str | None:
        found = defined_type(column.type, catalog)
        if found is None:
            return None
        if found.kind == "enum" and found.labels:
            labels = ", ".join("'" + label.replace("'", "''") + "'" for label in found.labels)
            return f"((ARRAY[{labels}])[1 + ({k} % {len(found.labels)})::integer])::{column.type}"
        if found.kind == "domain":
            inner = self.value(replace(column, type=found.base), k, catalog)
            return f"({inner})::{column.type}" if inner is not None else None
        if found.kind == "composite":
            values = [self.value(one, k, catalog) or "NULL" for one in found.attributes]
            return f"ROW({', '.join(values)})::{column.type}"
        if found.kind == "range" and (subtype := SUBTYPE.search(found.definition)) is not None:
            one = self.value(replace(column, type=subtype["type"]), k, catalog)
            return f"{column.type}({one}, {one}, '[]')" if one is not None else None
        return None


def defined_type(type: str, catalog: Catalog) -> TypeDefinition | None:
    """The type of the schema that a column names; with or without the schema, quoted or not."""
    bare = type.replace('"', "")
    if bare in catalog.types:
        return catalog.types[bare]
    return next((one for one in catalog.types.values() if one.name.name == bare), None)
