"""What GRANT, REVOKE and ALTER DEFAULT PRIVILEGES name, with the rights on it (PostgreSQL).

Source: PostgreSQL documentation, "Privileges", table of ACL privilege abbreviations and of defaults; ALTER DEFAULT PRIVILEGES.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Catalog, Routine, Table, TypeDefinition, View
from driftflow.model.catalog import Sequence as SequenceObject
from driftflow.model.names import Name
from driftflow.model.operations.moving import named
from driftflow.model.operations.object import Rights
from driftflow.model.record import Record
from driftflow.strategies.definers import called_by_rights

LETTERS = {"table": "arwdDxt", "sequence": "rwU", "function": "X", "schema": "UC", "type": "U", "large_object": "rw"}
"""All rights on an object of each kind; on a table MAINTAIN too since 17."""
EVERYBODYS = {"function": "X", "type": "U"}
"""What PUBLIC may do as long as nobody says otherwise."""
ROUTINES = {
    "function": ("function", "aggregate", "window"),
    "procedure": ("procedure",),
    "routine": ("function", "aggregate", "window", "procedure"),
}
"""Which of them each word means."""
PLURALS = {
    "table": "TABLES",
    "sequence": "SEQUENCES",
    "function": "FUNCTIONS",
    "routine": "FUNCTIONS",
    "type": "TYPES",
    "schema": "SCHEMAS",
}


class Held(Record, frozen=True, kw_only=True):
    """One object, or what a role makes from now on."""

    name: Name
    kind: str = ""
    """What stands before the name: SEQUENCE, FUNCTION, ..."""
    target: str = ""
    """What stands in the place of the name."""
    head: str = ""
    """What stands before GRANT."""
    letters: str
    """All rights that there are on it."""
    acl: tuple[str, ...]
    """Of everybody who has some, its owner among them."""
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Of the columns that somebody has rights on."""
    relations: tuple[Name, ...] = ()


def holdings(said: Rights, relations: Sequence[Name], before: Catalog, dialect: Dialect) -> list[Held] | None:
    """None where the catalog does not hold the rights on objects of this kind. What the release itself makes goes with that, and is left out."""
    if said.by_default:
        return _by_default(said, before, dialect)
    match said.kind:
        case "table" | "sequence":
            names = relations or _in_schemas(said, before)
            return [_relation(one, before) for name in names if (one := _found(before, name)) is not None and one.owner]
        case "function" | "procedure" | "routine":
            routines = _routines(said, before)
            return [_routine(one, dialect) for one in routines if one.owner] if routines is not None else None
        case "type" | "domain":
            types = [before.types[name.text] for name in said.objects if name.text in before.types]
            return [_type(one, dialect) for one in types if one.owner]
        case "schema":
            return list(_schemas(said, before, dialect))
        case _:
            return None


def _found(catalog: Catalog, name: Name) -> Table | View | SequenceObject | None:
    return catalog.tables.get(name.text) or catalog.views.get(name.text) or catalog.sequences.get(name.text)


def _in_schemas(said: Rights, before: Catalog) -> Iterator[Name]:
    kinds: Iterable[Table | View | SequenceObject] = (
        before.sequences.values() if said.kind == "sequence" else (*before.tables.values(), *before.views.values())
    )
    return (one.name for one in kinds if one.name.schema in said.in_schemas)


def _relation(found: Table | View | SequenceObject, before: Catalog) -> Held:
    sequence = isinstance(found, SequenceObject)
    letters = _letters("sequence" if sequence else "table", before)
    return Held(
        name=found.name,
        kind="SEQUENCE" if sequence else "",
        letters=letters,
        acl=found.grants or (_item(found.owner, letters),),
        columns=tuple(_columns(found)),
        relations=(found.name,),
    )


def _columns(found: Table | View | SequenceObject) -> Iterator[tuple[str, tuple[str, ...]]]:
    match found:
        case Table(columns=columns):
            return ((one.name, one.grants) for one in columns if one.grants)
        case View(said=said):
            return ((one.name, one.grants) for one in said if one.grants)
        case _:
            return iter(())


def _routines(said: Rights, before: Catalog) -> list[Routine] | None:
    """None where it is not known which of several is meant."""
    kinds = ROUTINES[said.kind]
    if said.in_schemas:
        return [one for one in before.routines.values() if one.name.schema in said.in_schemas and one.kind in kinds]
    meant: list[Routine] = []
    for name, arguments in zip(said.objects, said.arguments, strict=True):
        found = [one for one in named(before, name, arguments) if one.kind in kinds]
        if len(found) > 1:
            return None
        meant += found
    return meant


def _routine(found: Routine, dialect: Dialect) -> Held:
    kind, target = called_by_rights(found, dialect)
    return Held(
        name=found.name,
        kind=kind,
        target=target,
        letters=LETTERS["function"],
        acl=_or_default(found.grants, "function", found.owner),
    )


def _type(found: TypeDefinition, dialect: Dialect) -> Held:
    acl = _or_default(found.grants, "type", found.owner)
    return Held(name=found.name, kind="TYPE", target=dialect.quote_name(found.name), letters=LETTERS["type"], acl=acl)


def _schemas(said: Rights, before: Catalog, dialect: Dialect) -> Iterator[Held]:
    wanted = {name.name for name in said.objects}
    for one in before.schemas_said:
        if one.name in wanted and one.owner:
            acl = _or_default(one.grants, "schema", one.owner)
            name = Name(name=one.name)
            yield Held(name=name, kind="SCHEMA", target=dialect.quote(one.name), letters=LETTERS["schema"], acl=acl)


def _by_default(said: Rights, before: Catalog, dialect: Dialect) -> list[Held] | None:
    kind = "function" if said.kind == "routine" else said.kind
    makers = said.made_by or tuple(filter(None, (before.settings.get("role"),)))
    if kind not in PLURALS or not makers:
        return None
    letters = _letters(kind, before)
    known = {(one.role, one.schema): one.grants for one in before.default_rights if one.kind == kind}
    found = []
    for role in makers:
        for schema in said.in_schemas or ("",):
            of_role = f" FOR ROLE {dialect.quote(role)}" if said.made_by else ""
            inside = f" IN SCHEMA {dialect.quote(schema)}" if schema else ""
            # What is said of one schema comes on top of what is said of all.
            unsaid = () if schema else (_item(role, letters), *_everybodys(kind, role))
            found.append(
                Held(
                    name=Name(name=role),
                    target=PLURALS[kind],
                    head=f"ALTER DEFAULT PRIVILEGES{of_role}{inside} ",
                    letters=letters,
                    acl=known.get((role, schema), unsaid),
                )
            )
    return found


def _letters(kind: str, before: Catalog) -> str:
    maintain = kind == "table" and before.version is not None and before.version.major >= 17
    return LETTERS[kind] + ("m" if maintain else "")


def _or_default(grants: tuple[str, ...] | None, kind: str, owner: str) -> tuple[str, ...]:
    return grants if grants is not None else (_item(owner, LETTERS[kind]), *_everybodys(kind, owner))


def _everybodys(kind: str, owner: str) -> tuple[str, ...]:
    return (_item("", EVERYBODYS[kind], by=owner),) if kind in EVERYBODYS else ()


def _item(role: str, letters: str, *, by: str = "") -> str:
    """An aclitem."""
    return f"{_in_quotes(role) if role else ''}={letters}/{_in_quotes(by or role)}"


def _in_quotes(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'
