"""Schemas, extensions, comments, grants, and the many kinds of objects that are known by kind and name alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from driftflow.dialects.postgresql.deparse.expression import expression_text
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.kinds import kind_of, object_name, object_relation, object_text
from driftflow.dialects.postgresql.parse.node import NotUnderstood, name_of, names_of, relation, role_text, roles
from driftflow.dialects.postgresql.parse.routine import call_arguments, create_aggregate
from driftflow.dialects.postgresql.parse.touches import touches_of
from driftflow.dialects.postgresql.parse.type import create_base_type
from driftflow.dialects.postgresql.scan import normal_text
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, Comment, CreateExtension, CreateSchema, Grant, Operation
from driftflow.model.operations.object import Published, Right, Rights
from driftflow.model.operations.publishing import Carried
from driftflow.model.record import replace


def create_schema(body: Node, sql: str) -> tuple[Operation, ...]:
    """CREATE SCHEMA; what it creates inside becomes operations of their own, in the new schema."""
    owner = role_text(body["authrole"]) if "authrole" in body else ""
    name = body.get("schemaname") or body.get("authrole", {}).get("rolename", "")
    if not name:
        raise NotUnderstood("a schema named after the current role")
    created = CreateSchema(name=name, if_not_exists=bool(body.get("if_not_exists")), owner=owner)
    return (created, *(operation for node in body.get("schemaElts", ()) for operation in _inside(name, node)))


_TARGETS = {"CreateStmt": "relation", "ViewStmt": "view", "IndexStmt": "relation", "CreateSeqStmt": "sequence"}


def _inside(schema: str, node: Node) -> tuple[Operation, ...]:
    from driftflow.dialects.postgresql.parse.statement import READERS

    ((tag, body),) = node.items()
    if tag not in _TARGETS:
        raise NotUnderstood(f"CREATE SCHEMA with {tag} inside")
    target = body[_TARGETS[tag]]
    return READERS[tag]({**body, _TARGETS[tag]: {"schemaname": schema, **target}}, "")


def create_extension(body: Node, sql: str) -> tuple[Operation, ...]:
    given: dict[str, Any] = {node["DefElem"]["defname"]: node["DefElem"].get("arg") for node in body.get("options", ())}
    return (
        CreateExtension(
            name=body["extname"],
            if_not_exists=bool(body.get("if_not_exists")),
            schema=given["schema"]["String"]["sval"] if "schema" in given else "",
            version=given["new_version"]["String"]["sval"] if "new_version" in given else "",
            cascade="cascade" in given,
        ),
    )


def comment(body: Node, sql: str) -> tuple[Operation, ...]:
    kind, node = body["objtype"], body["object"]
    named = kind_of(kind)
    if kind == "OBJECT_DOMCONSTRAINT":
        named = "domain_constraint"
    routine = node.get("ObjectWithArgs")
    return (
        Comment(
            kind=named,
            target=object_text(kind, node),
            text=body.get("comment"),
            relation=object_relation(kind, node),
            column=names_of(node["List"]["items"])[-1] if kind == "OBJECT_COLUMN" else "",
            name=object_name(kind, node) if kind != "OBJECT_COLUMN" else None,
            arguments=call_arguments(routine) if routine is not None else None,
        ),
    )


def grant(body: Node, sql: str) -> tuple[Operation, ...]:
    relations = tuple(relation(node["RangeVar"]) for node in body.get("objects", ()) if "RangeVar" in node)
    return (
        Grant(
            sql=normal_text(sql),
            revoke=not body.get("is_grant"),
            relations=relations,
            roles=roles(body.get("grantees", [])),
            said=_rights(body) if "grantor" not in body else None,
        ),
    )


def _rights(body: Node) -> Rights:
    kind, nodes = body["objtype"], body.get("objects", ())
    whole = body.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA"
    routines = [node["ObjectWithArgs"] for node in nodes if "ObjectWithArgs" in node]
    named = () if whole else tuple(name for node in nodes if (name := _granted(kind, node)) is not None)
    return Rights(
        kind=kind.removeprefix("OBJECT_").lower(),
        rights=tuple(_right(node["AccessPriv"]) for node in body.get("privileges", ())),
        objects=named,
        arguments=tuple(map(call_arguments, routines)),
        in_schemas=tuple(node["String"]["sval"] for node in nodes) if whole else (),
        grantable=bool(body.get("grant_option")),
        cascade=body.get("behavior") == "DROP_CASCADE",
    )


def _granted(kind: str, node: Node) -> Name | None:
    return relation(node["RangeVar"]) if "RangeVar" in node else object_name(kind, node)


def _right(body: Node) -> Right:
    return Right(name=body.get("priv_name", "").upper(), columns=tuple(names_of(body.get("cols", ()))))


def grant_role(body: Node, sql: str) -> tuple[Operation, ...]:
    return (Grant(sql=normal_text(sql), revoke=not body.get("is_grant"), roles=roles(body.get("grantee_roles", []))),)


def default_privileges(body: Node, sql: str) -> tuple[Operation, ...]:
    action = body["action"]
    given = {node["DefElem"]["defname"]: node["DefElem"]["arg"]["List"]["items"] for node in body.get("options", ())}
    said = replace(
        _rights(action),
        by_default=True,
        made_by=roles(given.get("roles", [])),
        in_schemas=tuple(names_of(given.get("schemas", []))),
    )
    return (Grant(sql=normal_text(sql), revoke=not action.get("is_grant"), roles=roles(action.get("grantees", [])), said=said),)


def define(body: Node, sql: str) -> tuple[Operation, ...]:
    """CREATE AGGREGATE, OPERATOR, COLLATION, TEXT SEARCH ..., and CREATE TYPE of a base type."""
    if body["kind"] == "OBJECT_TYPE":
        return create_base_type(body)
    if body["kind"] == "OBJECT_AGGREGATE":
        return create_aggregate(body, sql)
    return (AlterObject(kind=kind_of(body["kind"]), action="create", name=name_of(body["defnames"]), sql=normal_text(sql)),)


def rule(body: Node, sql: str) -> tuple[Operation, ...]:
    table = relation(body["relation"])
    others = [name for name in touches_of({"actions": body.get("actions", [])}).writes if name != table]
    return (
        AlterObject(
            kind="rule", action="create", name=Name(name=body["rulename"]), sql=normal_text(sql), relations=(table, *others)
        ),
    )


Reader = Callable[[Node, str], tuple[Operation, ...]]


def _known(kind: str, action: str, name: Callable[[Node], Name | None] = lambda body: None) -> Reader:
    """A statement that is kept as text, with the kind, the name and the relations that stand in it."""

    def read(body: Node, sql: str) -> tuple[Operation, ...]:
        touched = touches_of(body)
        relations = tuple(dict.fromkeys([*touched.reads, *touched.writes, *_concrete(body)]))
        return (AlterObject(kind=kind, action=action, name=name(body), sql=normal_text(sql), relations=relations),)

    return read


def _routine_altered(body: Node, sql: str) -> tuple[Operation, ...]:
    name, arguments = name_of(body["func"]["objname"]), call_arguments(body["func"])
    return (AlterObject(kind="function", action="alter", name=name, sql=normal_text(sql), arguments=arguments),)


def publication(body: Node, sql: str) -> tuple[Operation, ...]:
    """CREATE and ALTER PUBLICATION, with what they say of tables, columns and schemas; SET (option = value) says nothing of them."""
    actions: dict[str, Literal["add", "set", "drop"]] = {"AP_AddObjects": "add", "AP_SetObjects": "set", "AP_DropObjects": "drop"}
    created = "action" not in body
    (plain,) = _known("publication", "create" if created else "alter", _plain("pubname"))(body, sql)
    objects = [node["PublicationObjSpec"] for node in body.get("pubobjects", ())]
    everything = bool(body.get("for_all_tables"))
    if not (created or objects or everything):
        return (plain,)
    tables = [one["pubtable"] for one in objects if "pubtable" in one]
    said = Published(
        action="create" if created else actions[body["action"]],
        all_tables=everything,
        schemas=tuple(one.get("name", "") for one in objects if "pubtable" not in one),
        tables=tuple(
            Carried(table=relation(one["relation"]), columns=tuple(_named_columns(one)), narrowed=_narrowed(one))
            for one in tables
        ),
    )
    return (replace(plain, published=said),)


def _narrowed(table: Node) -> str:
    """The column list and the row filter."""
    columns = ", ".join(map(quote, names_of(table.get("columns", []))))
    where = f" WHERE ({expression_text(table['whereClause'])})" if "whereClause" in table else ""
    return (f" ({columns})" if columns else "") + where


def _named_columns(table: Node) -> Iterator[str]:
    """Those of the column list, and those of the row filter."""
    yield from (node["String"]["sval"] for node in table.get("columns", ()))
    waiting = [table.get("whereClause")]
    while waiting:
        match waiting.pop():
            case {"ColumnRef": {"fields": fields}}:
                yield from (field["String"]["sval"] for field in fields[-1:] if "String" in field)
            case dict() as node:
                waiting += node.values()
            case list() as nodes:
                waiting += nodes
            case _:
                pass


def _concrete(body: Node) -> list[Name]:
    """Relations that stand in fields of their own type, unwrapped."""
    found = [relation(body["relation"])] if "relation" in body else []
    for node in body.get("pubobjects", ()):
        table = node["PublicationObjSpec"].get("pubtable")
        found += [relation(table["relation"])] if table else []
    return found


def _plain(key: str) -> Callable[[Node], Name | None]:
    return lambda body: Name(name=body[key]) if key in body else None


def _names(key: str) -> Callable[[Node], Name | None]:
    return lambda body: name_of(body[key]) if key in body else None


def _role_name(body: Node) -> Name | None:
    return Name(name=role_text(body["role"])) if "role" in body else None


def _base_relation(body: Node) -> Name | None:
    return relation(body["base"]["relation"])


KNOWN: dict[str, Reader] = {
    "AlterCollationStmt": _known("collation", "alter", _names("collname")),
    "AlterDatabaseRefreshCollStmt": _known("database", "alter", _plain("dbname")),
    "AlterDatabaseSetStmt": _known("database", "alter", _plain("dbname")),
    "AlterDatabaseStmt": _known("database", "alter", _plain("dbname")),
    "AlterEventTrigStmt": _known("event_trigger", "alter", _plain("trigname")),
    "AlterExtensionContentsStmt": _known("extension", "alter", _plain("extname")),
    "AlterExtensionStmt": _known("extension", "alter", _plain("extname")),
    "AlterFdwStmt": _known("foreign_data_wrapper", "alter", _plain("fdwname")),
    "AlterForeignServerStmt": _known("server", "alter", _plain("servername")),
    "AlterFunctionStmt": _routine_altered,
    "AlterOpFamilyStmt": _known("operator_family", "alter", _names("opfamilyname")),
    "AlterOperatorStmt": _known("operator", "alter"),
    "AlterPublicationStmt": publication,
    "AlterRoleSetStmt": _known("role", "alter", _role_name),
    "AlterRoleStmt": _known("role", "alter", _role_name),
    "AlterStatsStmt": _known("statistics", "alter", _names("defnames")),
    "AlterSubscriptionStmt": _known("subscription", "alter", _plain("subname")),
    "AlterSystemStmt": _known("system", "alter"),
    "AlterTSConfigurationStmt": _known("text_search_configuration", "alter", _names("cfgname")),
    "AlterTSDictionaryStmt": _known("text_search_dictionary", "alter", _names("dictname")),
    "AlterTableMoveAllStmt": _known("tablespace", "move_all", _plain("orig_tablespacename")),
    "AlterTableSpaceOptionsStmt": _known("tablespace", "alter", _plain("tablespacename")),
    "AlterTypeStmt": _known("type", "alter", _names("typeName")),
    "AlterUserMappingStmt": _known("user_mapping", "alter", _plain("servername")),
    "CreateAmStmt": _known("access_method", "create", _plain("amname")),
    "CreateCastStmt": _known("cast", "create"),
    "CreateConversionStmt": _known("conversion", "create", _names("conversion_name")),
    "CreateEventTrigStmt": _known("event_trigger", "create", _plain("trigname")),
    "CreateFdwStmt": _known("foreign_data_wrapper", "create", _plain("fdwname")),
    "CreateForeignServerStmt": _known("server", "create", _plain("servername")),
    "CreateForeignTableStmt": _known("foreign_table", "create", _base_relation),
    "CreateOpClassStmt": _known("operator_class", "create", _names("opclassname")),
    "CreateOpFamilyStmt": _known("operator_family", "create", _names("opfamilyname")),
    "CreatePLangStmt": _known("language", "create", _plain("plname")),
    "CreatePublicationStmt": publication,
    "CreateRoleStmt": _known("role", "create", _plain("role")),
    "CreateStatsStmt": _known("statistics", "create", _names("defnames")),
    "CreateSubscriptionStmt": _known("subscription", "create", _plain("subname")),
    "CreateTableSpaceStmt": _known("tablespace", "create", _plain("tablespacename")),
    "CreateTransformStmt": _known("transform", "create"),
    "CreateUserMappingStmt": _known("user_mapping", "create", _plain("servername")),
    "CreatedbStmt": _known("database", "create", _plain("dbname")),
    "DropOwnedStmt": _known("owned", "drop"),
    "DropRoleStmt": _known("role", "drop"),
    "DropSubscriptionStmt": _known("subscription", "drop", _plain("subname")),
    "DropTableSpaceStmt": _known("tablespace", "drop", _plain("tablespacename")),
    "DropUserMappingStmt": _known("user_mapping", "drop", _plain("servername")),
    "DropdbStmt": _known("database", "drop", _plain("dbname")),
    "ImportForeignSchemaStmt": _known("foreign_schema", "import", _plain("local_schema")),
    "ReassignOwnedStmt": _known("owned", "reassign"),
    "SecLabelStmt": _known("security_label", "create"),
}
"""Statements whose kind and name are enough."""
