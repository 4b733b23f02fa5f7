"""Partitions that nobody knew of when their key was built for all: looked at in the swap, under its lock, before anything changes.

A partitioned table's key adopts the keys of its partitions, and builds one for each partition that has none. For a partition of a few rows that is an
instant; for a larger one the swap refuses.
"""

from __future__ import annotations

from driftflow.dialects.situation import Situation
from driftflow.model.catalog import PrimaryKey
from driftflow.strategies.types.shadow_parts import HeldKey


def refuse_unbuilt(at: Situation, family: tuple[HeldKey, ...], columns: tuple[str, ...]) -> str:
    """Raises, on the server, where a partition has more than a few rows and no unique index over the columns, or where a partition has gone meanwhile."""
    quote, text = at.dialect.quote, at.dialect.literal
    listed = ", ".join(quote(column) for column in columns[: len(family[0].key.columns)])
    most, top = at.policy.small_table_rows, text(at.dialect.quote_name(family[0].table))
    return (
        f"DO $driftflow$\nDECLARE part text;\n  over text := {text(f'({listed})')};\n  found bigint;\nBEGIN\n"
        f"  FOREACH part IN ARRAY ARRAY[{_tables(at, family)}] LOOP\n"
        f"    IF to_regclass(part) IS NULL OR to_regclass(part) NOT IN (SELECT relid FROM pg_partition_tree({top})) THEN\n"
        f"      RAISE EXCEPTION '% is no longer a partition of %', part, {top} USING HINT = 'undo that change, then driftflow resume';\n"
        f"    END IF;\n  END LOOP;\n"
        f"  FOR part IN SELECT t.relid::regclass FROM pg_partition_tree({top}) AS t WHERE t.isleaf AND NOT EXISTS (\n"
        f"      SELECT FROM pg_index AS i WHERE i.indrelid = t.relid AND {_is_over(at, family[0], columns)}) LOOP\n"
        f"    EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT {most + 1}) AS r', part) INTO found;\n"
        f"    IF found > {most} THEN\n"
        f"      RAISE EXCEPTION 'the partition % has come meanwhile: it has more than {most} rows and no unique index over %', part, over\n"
        f"        USING HINT = 'CREATE UNIQUE INDEX CONCURRENTLY ON ' || part || ' ' || over || ', then driftflow resume';\n"
        f"    END IF;\n  END LOOP;\nEND\n$driftflow$"
    )


def adopt_others(at: Situation, family: tuple[HeldKey, ...]) -> str:
    """The key of each partition that is not of the family, on the unique index that somebody has built for it since."""
    text, columns = at.dialect.literal, (*family[0].key.columns, *family[0].key.include)
    known = _tables(at, family)
    word = "PRIMARY KEY" if isinstance(family[0].key, PrimaryKey) else "UNIQUE"
    return (
        f"DO $driftflow$\nDECLARE one record;\nBEGIN\n"
        f"  FOR one IN SELECT DISTINCT ON (t.relid) t.relid::regclass AS part, c.relname AS index\n"
        f"      FROM pg_partition_tree({text(at.dialect.quote_name(family[0].table))}) AS t\n"
        f"      JOIN pg_index AS i ON i.indrelid = t.relid AND {_is_over(at, family[0], columns)}\n"
        f"      JOIN pg_class AS c ON c.oid = i.indexrelid\n"
        f"      WHERE t.isleaf AND t.relid <> ALL (ARRAY[{known}]::regclass[])\n"
        f"        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x')) LOOP\n"
        f"    EXECUTE format('ALTER TABLE %s ADD {word} USING INDEX %I', one.part, one.index);\n"
        f"  END LOOP;\nEND\n$driftflow$"
    )


def _tables(at: Situation, family: tuple[HeldKey, ...]) -> str:
    return ", ".join(at.dialect.literal(at.dialect.quote_name(held.table)) for held in family)


def _is_over(at: Situation, held: HeldKey, columns: tuple[str, ...]) -> str:
    """That `i` is a unique index over these columns in this order, as a key takes it, and no part of another one."""
    listed = ", ".join(at.dialect.literal(column) for column in columns)
    return (
        f"i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = {len(held.key.columns)} AND\n"
        f"        ARRAY[{listed}]::text[] = ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (n, place)\n"
        f"        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.n ORDER BY k.place)\n"
        f"        AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)"
    )
