"""driftflow.toml, environment variables and flags become one Config, and every fault is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow.config import Config, key_lines, load, mask
from driftflow.errors import ConfigError

FULL = """\
[project]
name = "shop"
environment = "staging"
dialect = "postgresql"

[policy]
lock_tries = 7

[sources.main]
tool = "dbmate"
path = "db/migrations"
variables = { SCHEMA = "worker" }

[environments.staging]
url_env = "STAGING_URL"

[environments.production]
url_env = "PRODUCTION_URL"
protected = true
stall_budget_ms = 100
"""


def write(folder: Path, text: str) -> Path:
    (folder / "driftflow.toml").write_text(text)
    return folder


def fault_of(folder: Path, **more: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(start=folder, **more)  # type: ignore[arg-type]
    return caught.value


def test_flags_beat_the_environment_which_beats_the_file_which_beats_the_defaults(tmp_path: Path) -> None:
    folder = write(tmp_path, FULL)
    config = load(
        start=folder,
        environ={"DRIFTFLOW_LOCK_TRIES": "9", "DRIFTFLOW_STALL_BUDGET_MS": "80"},
        flags={"env": "production", "stall_budget_ms": "60"},
    )
    policy = config.target.policy
    assert (policy.stall_budget_ms, policy.lock_tries, policy.protected, policy.small_table_rows) == (60, 9, True, 10_000)
    origins = [
        config.origin(f"target.{key}") for key in ("stall_budget_ms", "lock_tries", "protected", "url_env", "small_table_rows")
    ]
    assert origins == ["--stall-budget-ms", "DRIFTFLOW_LOCK_TRIES", "driftflow.toml:19", "driftflow.toml:18", "default"]


def test_the_policy_table_is_under_every_environment(tmp_path: Path) -> None:
    config = load(start=write(tmp_path, FULL))
    assert config.target.name == "staging"
    assert config.origin("env") == "driftflow.toml:3"
    assert config.target.policy.lock_tries == 7
    assert config.origin("target.lock_tries") == "driftflow.toml:7"
    assert config.environments["production"].policy.lock_tries == 7


def test_a_url_given_on_the_spot_takes_nothing_from_an_environment(tmp_path: Path) -> None:
    text = FULL.replace('url_env = "STAGING_URL"', 'url_env = "STAGING_URL"\npassword_command = "pass show db"')
    config = load(start=write(tmp_path, text), flags={"url": "sqlite:///x.db"})
    assert (config.target.name, config.target.url, config.target.url_env, config.target.password_command) == (
        "",
        "sqlite:///x.db",
        "",
        "",
    )
    assert config.target.dialect == "", "the URL says which dialect it is, not the project"


def test_the_file_is_looked_for_upwards_as_far_as_the_repository(tmp_path: Path) -> None:
    (tmp_path / "driftflow.toml").write_text('[project]\nname = "outside"\n')
    repository = tmp_path / "repository"
    inner = repository / "db" / "migrations"
    inner.mkdir(parents=True)
    (repository / ".git").mkdir()
    assert load(start=inner) == Config(root=str(inner))
    write(repository, '[project]\nname = "inside"\n')
    found = load(start=inner)
    assert (found.project.name, found.root) == ("inside", str(repository))


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one(tmp_path: Path) -> None:
    fault = fault_of(write(tmp_path, "[environments.prod]\n\nstall_buget_ms = 5\n"))
    assert (fault.code, fault.where) == ("DF-E102", "driftflow.toml:3")
    assert fault.hint == "did you mean stall_budget_ms?"


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = '[projekt]\n[sources.a]\ntol = "x"\npath = 3\n[environments.b]\nlock_tries = 0\nurl = "sqlite:///a"\nurl_env = "B"\n'
    with pytest.raises(ExceptionGroup) as caught:
        load(start=write(tmp_path, text), environ={"DRIFTFLOW_ULR": "x", "DRIFTFLOW_LOCK_REST_MS": "soon"})
    told = {(fault.where, fault.code) for fault in caught.value.exceptions if isinstance(fault, ConfigError)}
    assert told == {
        ("driftflow.toml:1", "DF-E102"),
        ("driftflow.toml:3", "DF-E102"),
        ("driftflow.toml:4", "DF-E103"),
        ("driftflow.toml:6", "DF-E103"),
        ("driftflow.toml:8", "DF-E103"),
        ("environment", "DF-E102"),
        ("DRIFTFLOW_LOCK_REST_MS", "DF-E103"),
    }


def test_broken_toml_names_the_file_and_the_reason(tmp_path: Path) -> None:
    fault = fault_of(write(tmp_path, "[project\n"))
    assert fault.code == "DF-E101"
    assert "line 1" in fault.why


def test_a_file_that_is_not_there_is_an_error_only_when_it_was_named(tmp_path: Path) -> None:
    assert load(start=tmp_path).file == ""
    assert fault_of(tmp_path, file=tmp_path / "other.toml").code == "DF-E101"


def test_an_unknown_environment_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    fault = fault_of(write(tmp_path, FULL), flags={"env": "prodution"})
    assert (fault.code, fault.hint) == ("DF-E104", "did you mean production?")


def test_variables_of_others_with_our_prefix_are_left_alone(tmp_path: Path) -> None:
    assert load(start=tmp_path, environ={"DRIFTFLOW_TEST_POSTGRESQL_14_URL": "x", "DRIFTFLOW_OUR_OWN_THING": "y"}).origins == {}


def test_a_list_and_a_truth_value_can_be_said_in_a_variable(tmp_path: Path) -> None:
    config = load(start=tmp_path, environ={"DRIFTFLOW_ACCEPT": "drop_column a.b, drop_table c", "DRIFTFLOW_PROTECTED": "yes"})
    assert config.target.policy.accept == ("drop_column a.b", "drop_table c")
    assert config.target.policy.protected is True
    assert fault_of(tmp_path, environ={"DRIFTFLOW_PROTECTED": "maybe"}).code == "DF-E103"


def test_lines_of_keys_are_found_under_quotes_and_dots() -> None:
    text = '# a\n[sources."my app"]\npath = "x"\nvariables.SCHEMA = "y"\n'
    assert key_lines(text) == {"sources.my app": 2, "sources.my app.path": 3, "sources.my app.variables.SCHEMA": 4}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://anna:s3cr%40t@host/db", "postgresql://anna:***@host/db"),
        ("postgresql://anna@host/db?password=x&sslmode=require", "postgresql://anna@host/db?password=***&sslmode=require"),
        ("host=h password=hunter2 dbname=d", "host=h password=*** dbname=d"),
        ("mysql+pymysql://u:p@ss@host/db", "mysql+pymysql://u:***@host/db"),
        ("sqlite:///plain.db", "sqlite:///plain.db"),
        ("10:15 said a@b", "10:15 said a@b"),
        ("a=1, b=2, PassWord=x =password", "a=1, b=2, PassWord=*** =password"),
        ("=" * 99 + "password=x", "=" * 99 + "password=***"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_known_secret_is_masked_wherever_it_stands() -> None:
    assert mask("FATAL: role hunter22 is not there", ["hunter22"]) == "FATAL: role *** is not there"


def test_replicas_are_one_url_or_several(tmp_path: Path) -> None:
    text = '[environments.a]\nurl = "sqlite:///a.db"\nreplica_url = "postgresql://r1/d"\n[environments.b]\nreplica_url_env = ["R1", "R2"]\n'
    config = load(start=write(tmp_path, text), flags={"env": "a"})
    assert config.target.replica_url == ("postgresql://r1/d",)
    assert load(start=tmp_path, flags={"env": "b"}).target.replica_url_env == ("R1", "R2")
    said = load(start=tmp_path, environ={"DRIFTFLOW_REPLICA_URL": "postgresql://r3/d postgresql://r4/d"}, flags={"env": "b"})
    assert said.target.replica_url == ("postgresql://r3/d", "postgresql://r4/d")
    assert said.target.replica_url_env == ()


def test_replicas_of_an_environment_are_none_of_a_database_named_on_the_spot(tmp_path: Path) -> None:
    text = '[environments.a]\nurl = "sqlite:///a.db"\nreplica_url = "postgresql://r1/d"\n'
    config = load(start=write(tmp_path, text), flags={"env": "a", "url": "sqlite:///b.db"})
    assert config.target.replica_url == ()


def test_a_replica_is_named_once(tmp_path: Path) -> None:
    text = '[environments.a]\nreplica_url = "postgresql://r1/d"\nreplica_url_env = "R"\n'
    with pytest.raises(ConfigError) as caught:
        load(start=write(tmp_path, text))
    assert caught.value.code == "DF-E103" and "keeps secrets out" in caught.value.hint
