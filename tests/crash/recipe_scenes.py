"""A scene for every recipe that makes state on the server: small tables, and a migration that the recipe carries out on the databases that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NUMBERS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 25)"
TABLES = """
CREATE TABLE people (id integer PRIMARY KEY, name varchar(40) NOT NULL, seed varchar(40));
CREATE TABLE orders (
    id integer PRIMARY KEY, person_id integer NOT NULL, seller integer, code varchar(40) NOT NULL, tag varchar(40), total integer NOT NULL,
    note varchar(200), kind varchar(20) NOT NULL, at timestamp{null} DEFAULT '2020-01-01 00:00:00'
);
CREATE INDEX orders_total ON orders (total);
CREATE INDEX orders_person ON orders (person_id);
CREATE TABLE marks (id integer PRIMARY KEY, order_id integer NOT NULL, CONSTRAINT marks_order FOREIGN KEY (order_id) REFERENCES orders (id));
"""
FILLED = (
    "INSERT INTO people (id, name, seed) {s} SELECT n, {name}, 'seed' FROM s WHERE n < 13;"
    "INSERT INTO orders (id, person_id, seller, code, tag, total, note, kind) {s} SELECT n, n % 12 + 1, n, {code}, {tag}, n * 3, {note}, 'person' FROM s;"
    "INSERT INTO marks (id, order_id) {s} SELECT n, n FROM s WHERE n < 9;"
)


def _filled(text: str) -> str:
    """`text(prefix, number)` is the dialect's way to join a word and a number."""
    words = {"name": ("p", "n"), "code": ("c", "n"), "tag": ("t", "(n % 20)"), "note": ("a longer note ", "n")}
    return FILLED.format(s=NUMBERS, **{key: text.format(word, number) for key, (word, number) in words.items()})


SCHEMA = {
    "sqlite": TABLES.format(null="") + _filled("'{0}' || {1}"),
    "postgresql": TABLES.format(null="") + _filled("'{0}' || {1}"),
    "mysql": TABLES.format(null=" NULL") + _filled("concat('{0}', {1})"),
}
ALL = ("sqlite", "postgresql", "mysql")


@dataclass(frozen=True)
class Scene:
    """`recipe` carries out the migration, or a part of it."""

    recipe: str
    migration: str | Mapping[str, str]
    """One text for all databases, or one for each that it is for (`mysql` stands for MariaDB too)."""
    more: Mapping[str, str] | str = ""
    """What the schema has beside."""
    elsewhere: tuple[str, ...] = ()
    """Databases where another recipe does it, or the statement as it stands."""
    without: tuple[str, ...] = ()
    """Columns whose values differ from run to run."""

    def on(self, vendor: str) -> bool:
        family = "mysql" if vendor == "mariadb" else vendor
        return isinstance(self.migration, str) or family in self.migration or vendor in self.migration

    def schema(self) -> dict[str, str]:
        return {
            vendor: text + (self.more if isinstance(self.more, str) else self.more.get(vendor, ""))
            for vendor, text in SCHEMA.items()
        }


DETAILS = """ALTER TABLE orders ADD CONSTRAINT orders_details CHECK (JSON_SCHEMA_VALID('{"type": "object", "required": ["colour"]}', details));"""
VIEW = "CREATE VIEW dear AS SELECT id, total FROM orders WHERE total > 30;"
SCENES = {
    "add_check": Scene("add_check", {"postgresql": "ALTER TABLE orders ADD CONSTRAINT orders_sum CHECK (total >= 0);"}),
    "add_column_not_null": Scene(
        "add_column_not_null",
        "ALTER TABLE hollow ADD COLUMN channel varchar(20) NOT NULL;",
        "CREATE TABLE hollow (id integer PRIMARY KEY);",
    ),
    "add_column_with_backfill, not null": Scene(
        "add_column_with_backfill",
        "-- driftflow: backfill column=channel set=\"'web'\"\nALTER TABLE orders ADD COLUMN channel varchar(20) NOT NULL;",
    ),
    "add_column_with_backfill": Scene(
        "add_column_with_backfill",
        '-- driftflow: dual-write column=whose set="(SELECT p.name FROM people p WHERE p.id = NEW.person_id)"\n'
        '-- driftflow: backfill column=whose from="people p" on="p.id = orders.person_id" set="p.name"\n'
        "ALTER TABLE orders ADD COLUMN whose varchar(40);",
    ),
    "add_column_with_constant_default": Scene(
        "add_column_with_constant_default", "ALTER TABLE orders ADD COLUMN stock integer NOT NULL DEFAULT 7;"
    ),
    "add_column_with_constraints": Scene(
        "add_column_with_constraints",
        {
            "postgresql": ("ALTER TABLE orders ADD COLUMN buyer integer REFERENCES people (id);"),
            "mysql": ("ALTER TABLE orders ADD COLUMN buyer integer REFERENCES people (id);"),
        },
    ),
    "add_column_with_volatile_default": Scene(
        "add_column_with_volatile_default",
        {
            "postgresql": "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
            "mysql": "ALTER TABLE orders ADD COLUMN token varchar(36) DEFAULT (uuid());",
        },
        without=("token",),
    ),
    "add_foreign_key": Scene(
        "add_foreign_key",
        "ALTER TABLE orders ADD CONSTRAINT orders_whose FOREIGN KEY (person_id) REFERENCES people (id);",
        elsewhere=("sqlite",),
    ),
    "replace_implied_index": Scene(
        "replace_implied_index",
        {
            "mysql": "ALTER TABLE orders ADD COLUMN helper integer; ALTER TABLE orders ADD CONSTRAINT orders_helper FOREIGN KEY (helper) REFERENCES people (id);"
            " CREATE INDEX by_helper ON orders (helper, total);"
        },
    ),
    "add_identity_column": Scene(
        "add_identity_column",
        {"postgresql": "ALTER TABLE orders ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY;"},
        without=("number",),
    ),
    "add_unique": Scene("add_unique", {"postgresql": ("ALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE (code);")}),
    "backfill_in_chunks": Scene("backfill_in_chunks", "UPDATE orders SET note = 'old' WHERE id < 20;"),
    "build_index_online": Scene("build_index_online", {"postgresql": ("CREATE INDEX orders_kind ON orders (kind);")}),
    "build_partitioned_index": Scene(
        "build_partitioned_index",
        {"postgresql": "CREATE INDEX events_kind ON events (kind);"},
        "CREATE TABLE events (id bigint, kind text, at date) PARTITION BY RANGE (at);"
        "CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');"
        "CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');"
        "INSERT INTO events SELECT n, 'k' || n, date '2030-06-01' + n * 20 FROM generate_series(1, 20) AS n;",
    ),
    "change_under_views": Scene(
        "change_under_views",
        {"postgresql": "CREATE OR REPLACE VIEW dear AS SELECT id, note, total FROM orders;"},
        VIEW + "CREATE VIEW dearest AS SELECT id FROM dear WHERE total > 40;",
    ),
    "check_json_schema": Scene(
        "check_json_schema",
        {
            "postgresql": f"ALTER TABLE orders ADD COLUMN details jsonb;\n{DETAILS}",
            "sqlite": f"ALTER TABLE orders ADD COLUMN details text;\n{DETAILS}",
            "mariadb": f"ALTER TABLE orders ADD COLUMN details json;\n{DETAILS}",
        },
    ),
    "cleanse_orphans": Scene(
        "cleanse_orphans",
        "-- driftflow: orphans action=quarantine\nALTER TABLE orders ADD CONSTRAINT orders_seller FOREIGN KEY (seller) REFERENCES people (id);",
    ),
    "cleanse_orphans, nulled": Scene(
        "cleanse_orphans",
        "-- driftflow: orphans action=null\nALTER TABLE orders ADD CONSTRAINT orders_seller FOREIGN KEY (seller) REFERENCES people (id);",
    ),
    "convert_column": Scene(
        "convert_column", {"mysql": "-- driftflow: too-long policy=archive\nALTER TABLE orders MODIFY note varchar(10);"}
    ),
    "convert_type": Scene(
        "convert_type",
        {
            "postgresql": "-- driftflow: too-long policy=truncate\nALTER TABLE orders ALTER COLUMN note TYPE varchar(10);",
        },
    ),
    "drop_columns": Scene("drop_columns", "-- driftflow: archive\nALTER TABLE orders DROP COLUMN note;"),
    "drop_index_online": Scene("drop_index_online", {"postgresql": "DROP INDEX orders_total;"}),
    "dual_columns": Scene("dual_columns", "-- driftflow: rename by=columns\nALTER TABLE orders RENAME COLUMN note TO remark;"),
    "hide_index": Scene("hide_index", {"mysql": "-- driftflow: soft-drop until=2026-03-01\nDROP INDEX orders_total ON orders;"}),
    "keep_polymorphic": Scene(
        "keep_polymorphic",
        '-- driftflow: polymorphic type=kind id=person_id targets="person=people(id), order=orders(id)"\n'
        "ALTER TABLE orders ADD CONSTRAINT orders_subject CHECK (kind IN ('person', 'order'));",
    ),
    "maintain_column": Scene(
        "maintain_column",
        {
            "postgresql": "-- driftflow: maintained column=search set=\"lower(NEW.code || ' ' || NEW.kind)\"\nALTER TABLE orders ADD COLUMN search varchar(100);",
            "sqlite": "-- driftflow: maintained column=search set=\"lower(NEW.code || ' ' || NEW.kind)\"\nALTER TABLE orders ADD COLUMN search varchar(100);",
            "mysql": "-- driftflow: maintained column=search set=\"lower(concat(NEW.code, ' ', NEW.kind))\"\nALTER TABLE orders ADD COLUMN search varchar(100);",
        },
    ),
    "nulls_not_distinct": Scene(
        "nulls_not_distinct",
        {
            "postgresql": "-- driftflow: nulls-not-distinct\nCREATE UNIQUE INDEX orders_note ON orders (code, note);",
            "sqlite": "-- driftflow: nulls-not-distinct\nCREATE UNIQUE INDEX orders_note ON orders (code, note);",
        },
    ),
    "prove_not_null": Scene(
        "prove_not_null",
        {
            "postgresql": "ALTER TABLE orders ALTER COLUMN seller SET NOT NULL;",
            "mysql": "ALTER TABLE orders MODIFY seller integer NOT NULL;",
        },
    ),
    "rebuild_online": Scene(
        "rebuild_online",
        {
            "mysql": "ALTER TABLE marks ADD COLUMN twice bigint AS (order_id * 2) STORED, ADD CONSTRAINT marks_big CHECK (order_id > 0);"
        },
    ),
    "rebuild_online, own triggers": Scene(
        "rebuild_online",
        {"mysql": "ALTER TABLE orders MODIFY total bigint NOT NULL;"},
        {
            "mysql": "CREATE TRIGGER orders_seen BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = concat('from ', OLD.total);"
            "CREATE TRIGGER orders_gone AFTER DELETE ON orders FOR EACH ROW INSERT INTO people (id, name) VALUES (OLD.id + 100, OLD.code);"
        },
    ),
    "rebuild_online, referenced": Scene("rebuild_online", {"mysql": "ALTER TABLE orders MODIFY total bigint NOT NULL;"}),
    "rebuild_table": Scene("rebuild_table", {"sqlite": "ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'none';"}),
    "reference_by_trigger": Scene(
        "reference_by_trigger",
        {
            "mysql": "-- driftflow: by-trigger\nALTER TABLE visits ADD CONSTRAINT visits_person FOREIGN KEY (person_id) REFERENCES people (id);"
        },
        {
            "mysql": "CREATE TABLE visits (id bigint PRIMARY KEY, person_id integer) PARTITION BY HASH (id) PARTITIONS 4;"
            "INSERT INTO visits VALUES (1, 1), (2, 2), (3, NULL);"
        },
    ),
    "remove_duplicates": Scene(
        "remove_duplicates",
        "-- driftflow: duplicates keep=last by=id\nALTER TABLE orders ADD CONSTRAINT orders_tag UNIQUE (tag);",
    ),
    "remove_duplicates, quarantined": Scene(
        "remove_duplicates",
        "-- driftflow: duplicates quarantine\nALTER TABLE labels ADD CONSTRAINT labels_tag UNIQUE (tag);",
        "CREATE TABLE labels (id integer PRIMARY KEY, tag varchar(40)); INSERT INTO labels SELECT id, tag FROM orders;",
    ),
    "rename_column": Scene("rename_column", {"postgresql": ("ALTER TABLE orders RENAME COLUMN note TO remark;")}),
    "rename_table": Scene("rename_table", "ALTER TABLE orders RENAME TO purchases;"),
    "replace_constraint": Scene(
        "replace_constraint",
        {
            "postgresql": (
                "ALTER TABLE marks DROP CONSTRAINT marks_order;\n"
                "ALTER TABLE marks ADD CONSTRAINT marks_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;"
            ),
            "mysql": (
                "ALTER TABLE marks DROP CONSTRAINT marks_order;\n"
                "ALTER TABLE marks ADD CONSTRAINT marks_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE;"
            ),
        },
    ),
    "replace_primary_key": Scene(
        "replace_primary_key",
        {
            "postgresql": "ALTER TABLE marks DROP CONSTRAINT marks_pkey;\nALTER TABLE marks ADD PRIMARY KEY (id, order_id);",
            "mysql": "ALTER TABLE marks DROP PRIMARY KEY, ADD PRIMARY KEY (id, order_id);",
        },
        elsewhere=("mysql", "mariadb"),
    ),
    "rules_by_trigger": Scene(
        "rules_by_trigger",
        {
            "postgresql": "-- driftflow: rule existing=keep\nALTER TABLE orders ADD CONSTRAINT orders_past CHECK (at <= now());",
            "mysql": "-- driftflow: rule existing=keep\nALTER TABLE orders ADD CONSTRAINT orders_past CHECK (at <= now());",
            "sqlite": "-- driftflow: rule existing=keep\nALTER TABLE orders ADD CONSTRAINT orders_past CHECK (at <= datetime('now'));",
        },
    ),
    "shadow_column": Scene("shadow_column", {"postgresql": "ALTER TABLE orders ALTER COLUMN total TYPE bigint;"}),
    "shadow_column, a key": Scene(
        "shadow_column",
        {
            "postgresql": "ALTER TABLE orders ALTER COLUMN id TYPE bigint;\nALTER TABLE marks ALTER COLUMN order_id TYPE bigint;",
        },
    ),
    "shadow_column, partitioned": Scene(
        "shadow_column",
        {"postgresql": "ALTER TABLE events ALTER COLUMN kind TYPE bigint;"},
        "CREATE TABLE events (id bigint, kind int NOT NULL, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');"
        "CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');"
        "CREATE INDEX events_kind ON events (kind);"
        "INSERT INTO events SELECT n, n, date '2030-06-01' + n * 20 FROM generate_series(1, 20) AS n;",
    ),
    "shadow_column, a key of a partitioned table": Scene(
        "shadow_column",
        {"postgresql": "ALTER TABLE events ALTER COLUMN id TYPE bigint;"},
        "CREATE TABLE sources (id int PRIMARY KEY);"
        "INSERT INTO sources SELECT generate_series(1, 20);"
        "CREATE TABLE events (id int REFERENCES sources (id), kind int NOT NULL, at date, PRIMARY KEY (id, at), UNIQUE (kind, id, at)) PARTITION BY RANGE (at);"
        "CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');"
        "CREATE TABLE events_2031 PARTITION OF events FOR VALUES FROM ('2031-01-01') TO ('2032-01-01') PARTITION BY RANGE (at);"
        "CREATE TABLE events_2031_a PARTITION OF events_2031 FOR VALUES FROM ('2031-01-01') TO ('2032-01-01');"
        "INSERT INTO events SELECT n, n, date '2030-06-01' + n * 20 FROM generate_series(1, 20) AS n;"
        "CREATE TABLE heard (event int, at date, CONSTRAINT heard_event FOREIGN KEY (event, at) REFERENCES events (id, at));"
        "INSERT INTO heard SELECT id, at FROM events WHERE id < 9;",
    ),
    "widen_keys": Scene(
        "widen_keys",
        {"mysql": "ALTER TABLE orders MODIFY id bigint NOT NULL;\nALTER TABLE marks MODIFY order_id bigint NOT NULL;"},
    ),
}
