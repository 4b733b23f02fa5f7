"""golang-migrate files: an up and a down file for each part. On PostgreSQL a file with one statement runs outside a transaction by itself."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.readers.golang_migrate import NAME
from driftflow.writers.base import Rewrite, Written, all_lost, always_inside, body, following, header, one_by_one, slug_of, writer
from driftflow.writers.versions import between


@writer("golang-migrate")
class GolangMigrateWriter:
    """`000002_name.up.sql`, `000003_build_index.up.sql`, ..."""

    name = "golang-migrate"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        alone = dialect.name == "postgresql" or rewrite.migration.transaction == "none"
        parts = one_by_one(rewrite.parts, dialect) if alone else always_inside(rewrite.parts, self.name)
        folder, slash, name = rewrite.migration.path.rpartition("/")
        match = NAME.fullmatch(name)
        assert match is not None
        after = following(rewrite)
        versions = between(
            match["version"],
            len(parts) - 1,
            fits=lambda version: after is None or int(version) < int(after.id),
            where=rewrite.migration.path,
            tool=self.name,
        )
        stems = [f"{match['version']}_{match['rest']}"]
        stems += [
            f"{version}_{slug_of(part, index)}" for index, (version, part) in enumerate(zip(versions, parts[1:], strict=True), 2)
        ]
        files: dict[str, bytes] = {}
        for stem, part in zip(stems, parts, strict=True):
            files[f"{folder}{slash}{stem}.up.sql"] = f"{header(part)}{body(part.statements)}".encode()
            files[f"{folder}{slash}{stem}.down.sql"] = body(part.down).encode()
        return Written(files=files, lost=all_lost(parts))
