"""ALTER TABLE, every form: one operation for each clause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from driftflow.dialects.postgresql.deparse import NotUnderstood, expression_text
from driftflow.dialects.postgresql.deparse.expression import stored_name
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.names import quote
from driftflow.dialects.postgresql.parse.column import column_definition, constraint, generated, identity, sequence_options
from driftflow.dialects.postgresql.parse.create_table import bound_text
from driftflow.dialects.postgresql.parse.index import alter_index
from driftflow.dialects.postgresql.parse.node import cascades, option_sql, options, relation, role_text
from driftflow.dialects.postgresql.scan import normal_text
from driftflow.dialects.postgresql.types import type_text
from driftflow.model.catalog import Identity, SequenceOptions
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    AlterConstraint,
    AlterIdentity,
    AlterObject,
    AlterTableOption,
    AlterView,
    AttachPartition,
    DetachPartition,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropExpression,
    DropNotNull,
    EnableTrigger,
    Operation,
    RewriteTable,
    SetColumnOption,
    SetDefault,
    SetExpression,
    SetInherit,
    SetNotNull,
    SetRowSecurity,
    ValidateConstraint,
)
from driftflow.model.operations.type import AttributeChange
from driftflow.model.record import replace


def alter_table(body: Node, sql: str) -> tuple[Operation, ...]:
    """ALTER TABLE and its relatives, which share a node: INDEX, VIEW, MATERIALIZED VIEW, SEQUENCE, FOREIGN TABLE, TYPE."""
    commands = [node["AlterTableCmd"] for node in body["cmds"]]
    match body.get("objtype"):
        case "OBJECT_TABLE" | "OBJECT_FOREIGN_TABLE":
            return _table(body, commands, sql)
        case "OBJECT_INDEX":
            return tuple(alter_index(body, command) for command in commands)
        case "OBJECT_VIEW" | "OBJECT_MATVIEW" as kind:
            return (_view(body, kind, sql),)
        case "OBJECT_SEQUENCE" | "OBJECT_TYPE" as kind:
            return (_object(kind.removeprefix("OBJECT_").lower(), body, commands, sql),)
        case other:
            raise NotUnderstood(f"ALTER of {other}")


def _table(body: Node, commands: list[Node], sql: str) -> tuple[Operation, ...]:
    table, only = relation(body["relation"]), not body["relation"].get("inh")
    found = []
    for command in commands:
        reader = COMMANDS.get(command["subtype"])
        if reader is None:
            if len(commands) > 1:
                raise NotUnderstood(f"ALTER TABLE with {command['subtype']}")
            return (_object("foreign_table" if "OptionS" in command["subtype"] else "table", body, commands, sql),)
        found.append(reader(table, only, command))
    if body.get("missing_ok"):
        found = [replace(operation, table_if_exists=True) for operation in found]
    return tuple(found)


def _object(kind: str, body: Node, commands: list[Node], sql: str) -> Operation:
    action = "owner" if [command["subtype"] for command in commands] == ["AT_ChangeOwner"] else "alter"
    name = relation(body["relation"])
    attributes = tuple(map(_attribute, commands)) if kind == "type" and action == "alter" else ()
    relations = () if kind == "type" else (name,)
    return AlterObject(kind=kind, action=action, name=name, sql=normal_text(sql), relations=relations, attributes=attributes)


ATTRIBUTE_ACTIONS: dict[str, Literal["add", "drop", "type"]] = {
    "AT_AddColumn": "add",
    "AT_DropColumn": "drop",
    "AT_AlterColumnType": "type",
}


def _attribute(command: Node) -> AttributeChange:
    """ADD, DROP and ALTER ATTRIBUTE, which the grammar reads as clauses about columns."""
    definition = command.get("def", {}).get("ColumnDef", {})
    return AttributeChange(
        action=ATTRIBUTE_ACTIONS[command["subtype"]],
        name=command.get("name") or definition["colname"],
        type=type_text(definition["typeName"]) if "typeName" in definition else "",
        collation=stored_name(definition["collClause"]["collname"]) if "collClause" in definition else "",
        cascade=command.get("behavior") == "DROP_CASCADE",
    )


def _view(body: Node, kind: str, sql: str) -> Operation:
    operation = AlterView(name=relation(body["relation"]), action=_behind_name(body, sql), materialized=kind == "OBJECT_MATVIEW")
    return replace(operation, table_if_exists=True) if body.get("missing_ok") else operation


def _behind_name(body: Node, sql: str) -> str:
    """The clauses of ALTER VIEW as text: all that stands behind the view's name."""
    from driftflow.dialects.postgresql.parse.clause import behind_relation

    return behind_relation(sql, body["relation"])


Reader = Callable[[Name, bool, Node], Operation]


def _add_column(table: Name, only: bool, command: Node) -> Operation:
    column, constraints = column_definition(command["def"]["ColumnDef"])
    missing = bool(command.get("missing_ok"))
    return AddColumn(table=table, column=column, constraints=constraints, if_not_exists=missing, only=only)


def _drop_column(table: Name, only: bool, command: Node) -> Operation:
    missing = bool(command.get("missing_ok"))
    return DropColumn(table=table, column=command["name"], if_exists=missing, cascade=cascades(command), only=only)


def _default(table: Name, only: bool, command: Node) -> Operation:
    if "def" not in command:
        return DropDefault(table=table, column=command["name"], only=only)
    return SetDefault(table=table, column=command["name"], default=expression_text(command["def"]), only=only)


def _column_type(table: Name, only: bool, command: Node) -> Operation:
    definition = command["def"]["ColumnDef"]
    return AlterColumnType(
        table=table,
        column=command["name"],
        type=type_text(definition["typeName"]),
        collation=stored_name(definition["collClause"]["collname"]) if "collClause" in definition else "",
        using=expression_text(definition["raw_default"]) if "raw_default" in definition else "",
        only=only,
    )


def _set_expression(table: Name, only: bool, command: Node) -> Operation:
    # The statement does not say STORED or VIRTUAL: the column keeps what it is, which resolve fills in.
    return SetExpression(table=table, column=command["name"], generated=generated({"raw_expr": command["def"]}), only=only)


def _drop_expression(table: Name, only: bool, command: Node) -> Operation:
    return DropExpression(table=table, column=command["name"], if_exists=bool(command.get("missing_ok")), only=only)


def _add_identity(table: Name, only: bool, command: Node) -> Operation:
    added = identity(command["def"]["Constraint"])
    return AlterIdentity(table=table, column=command["name"], action="add", identity=added, only=only)


def _set_identity(table: Name, only: bool, command: Node) -> Operation:
    given, restart, rest = sequence_options(command["def"]["List"]["items"])
    kind = rest.pop("generated", None)
    if rest:
        raise NotUnderstood("an identity option that only sequences take")
    return AlterIdentity(
        table=table,
        column=command["name"],
        action="set",
        identity=Identity(always=kind["Integer"]["ival"] == ord("a")) if kind else None,
        options=given,
        restart=restart[0] if restart else None,
        restarts=bool(restart),
        only=only,
    )


def _drop_identity(table: Name, only: bool, command: Node) -> Operation:
    missing = bool(command.get("missing_ok"))
    return AlterIdentity(
        table=table, column=command["name"], action="drop", if_exists=missing, options=SequenceOptions(), only=only
    )


def _statistics(table: Name, only: bool, command: Node) -> Operation:
    if "name" not in command:
        raise NotUnderstood("SET STATISTICS by column number")
    value = command["def"]["Integer"].get("ival", 0) if "def" in command else -1
    return SetColumnOption(table=table, column=command["name"], option="statistics", value=str(value), only=only)


def _storage(table: Name, only: bool, command: Node) -> Operation:
    option = command["def"]["String"]["sval"]
    kind = "storage" if command["subtype"] == "AT_SetStorage" else "compression"
    return SetColumnOption(table=table, column=command["name"], option=kind, value=option, only=only)  # type: ignore[arg-type]


def _column_options(table: Name, only: bool, command: Node) -> Operation:
    kind = "set" if command["subtype"] == "AT_SetOptions" else "reset"
    value = ", ".join(option_sql(option) for option in options(command["def"]["List"]["items"]))
    return SetColumnOption(table=table, column=command["name"], option=kind, value=value, only=only)  # type: ignore[arg-type]


def _add_constraint(table: Name, only: bool, command: Node) -> Operation:
    return AddConstraint(table=table, constraint=constraint(command["def"]["Constraint"]), only=only)


def _alter_constraint(table: Name, only: bool, command: Node) -> Operation:
    body = command["def"]["ATAlterConstraint"]
    deferral, enforcement, inheritance = (
        body.get(f"alter{what}") for what in ("Deferrability", "Enforceability", "Inheritability")
    )
    return AlterConstraint(
        table=table,
        name=body["conname"],
        deferrable=bool(body.get("deferrable")) if deferral else None,
        initially_deferred=bool(body.get("initdeferred")) if deferral else None,
        enforced=bool(body.get("is_enforced")) if enforcement else None,
        no_inherit=bool(body.get("noinherit")) if inheritance else None,
        only=only,
    )


def _drop_constraint(table: Name, only: bool, command: Node) -> Operation:
    missing = bool(command.get("missing_ok"))
    return DropConstraint(table=table, name=command["name"], if_exists=missing, cascade=cascades(command), only=only)


def _relation_options(table: Name, only: bool, command: Node) -> Operation:
    kind = "set" if command["subtype"] == "AT_SetRelOptions" else "reset"
    value = ", ".join(option_sql(option) for option in options(command["def"]["List"]["items"]))
    return AlterTableOption(table=table, option=kind, value=value, only=only)  # type: ignore[arg-type]


def _replica_identity(table: Name, only: bool, command: Node) -> Operation:
    body = command["def"]["ReplicaIdentityStmt"]
    words = {"d": "DEFAULT", "f": "FULL", "n": "NOTHING"}
    value = words.get(body["identity_type"]) or f"USING INDEX {quote(body['name'])}"
    return AlterTableOption(table=table, option="replica_identity", value=value, only=only)


def _rewrite(action: str) -> Reader:
    def read(table: Name, only: bool, command: Node) -> Operation:
        value = command.get("name", "")
        if action == "access_method" and not value:
            value = "DEFAULT"
        return RewriteTable(table=table, action=action, value=value)  # type: ignore[arg-type]

    return read


def _trigger(state: str, name: str = "") -> Reader:
    def read(table: Name, only: bool, command: Node) -> Operation:
        if only:
            raise NotUnderstood("ONLY with a trigger of a partitioned table")
        return EnableTrigger(table=table, name=name or command["name"], state=state)  # type: ignore[arg-type]

    return read


def _rule(words: str) -> Reader:
    def read(table: Name, only: bool, command: Node) -> Operation:
        return AlterTableOption(table=table, option="rule", value=f"{words} {quote(command['name'])}", only=only)

    return read


def _security(action: str) -> Reader:
    def read(table: Name, only: bool, command: Node) -> Operation:
        return SetRowSecurity(table=table, action=action, only=only)  # type: ignore[arg-type]

    return read


def _attach(table: Name, only: bool, command: Node) -> Operation:
    body = command["def"]["PartitionCmd"]
    return AttachPartition(table=table, partition=relation(body["name"]), bound=bound_text(body["bound"]))


def _detach(table: Name, only: bool, command: Node) -> Operation:
    body = command["def"]["PartitionCmd"]
    final = command["subtype"] == "AT_DetachPartitionFinalize"
    return DetachPartition(
        table=table, partition=relation(body["name"]), concurrently=bool(body.get("concurrent")), finalize=final
    )


def _inherit(table: Name, only: bool, command: Node) -> Operation:
    return SetInherit(table=table, parent=relation(command["def"]["RangeVar"]), inherit=command["subtype"] == "AT_AddInherit")


def _option(option: str, value: Callable[[Node], str] = lambda command: "") -> Reader:
    def read(table: Name, only: bool, command: Node) -> Operation:
        return AlterTableOption(table=table, option=option, value=value(command), only=only)  # type: ignore[arg-type]

    return read


COMMANDS: dict[str, Reader] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_ColumnDefault": _default,
    "AT_DropNotNull": lambda table, only, command: DropNotNull(table=table, column=command["name"], only=only),
    "AT_SetNotNull": lambda table, only, command: SetNotNull(table=table, column=command["name"], only=only),
    "AT_AlterColumnType": _column_type,
    "AT_SetExpression": _set_expression,
    "AT_DropExpression": _drop_expression,
    "AT_AddIdentity": _add_identity,
    "AT_SetIdentity": _set_identity,
    "AT_DropIdentity": _drop_identity,
    "AT_SetStatistics": _statistics,
    "AT_SetStorage": _storage,
    "AT_SetCompression": _storage,
    "AT_SetOptions": _column_options,
    "AT_ResetOptions": _column_options,
    "AT_AddConstraint": _add_constraint,
    "AT_AlterConstraint": _alter_constraint,
    "AT_DropConstraint": _drop_constraint,
    "AT_ValidateConstraint": lambda table, only, command: ValidateConstraint(table=table, name=command["name"], only=only),
    "AT_SetRelOptions": _relation_options,
    "AT_ResetRelOptions": _relation_options,
    "AT_ReplicaIdentity": _replica_identity,
    "AT_ChangeOwner": _option("owner", lambda command: role_text(command["newowner"])),
    "AT_ClusterOn": _option("cluster_on", lambda command: quote(command["name"])),
    "AT_DropCluster": _option("without_cluster"),
    "AT_DropOids": _option("without_oids"),
    "AT_AddOf": _option("of", lambda command: type_text(command["def"]["TypeName"])),
    "AT_DropOf": _option("not_of"),
    "AT_SetLogged": _rewrite("logged"),
    "AT_SetUnLogged": _rewrite("unlogged"),
    "AT_SetAccessMethod": _rewrite("access_method"),
    "AT_SetTableSpace": _rewrite("tablespace"),
    "AT_EnableTrig": _trigger("O"),
    "AT_EnableAlwaysTrig": _trigger("A"),
    "AT_EnableReplicaTrig": _trigger("R"),
    "AT_DisableTrig": _trigger("D"),
    "AT_EnableTrigAll": _trigger("O", "ALL"),
    "AT_DisableTrigAll": _trigger("D", "ALL"),
    "AT_EnableTrigUser": _trigger("O", "USER"),
    "AT_DisableTrigUser": _trigger("D", "USER"),
    "AT_EnableRule": _rule("ENABLE RULE"),
    "AT_EnableAlwaysRule": _rule("ENABLE ALWAYS RULE"),
    "AT_EnableReplicaRule": _rule("ENABLE REPLICA RULE"),
    "AT_DisableRule": _rule("DISABLE RULE"),
    "AT_EnableRowSecurity": _security("enable"),
    "AT_DisableRowSecurity": _security("disable"),
    "AT_ForceRowSecurity": _security("force"),
    "AT_NoForceRowSecurity": _security("no_force"),
    "AT_AttachPartition": _attach,
    "AT_DetachPartition": _detach,
    "AT_DetachPartitionFinalize": _detach,
    "AT_AddInherit": _inherit,
    "AT_DropInherit": _inherit,
}
"""How each clause of ALTER TABLE is read, by the grammar's own name for it."""
