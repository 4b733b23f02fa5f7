"""Cutting MySQL's files: DELIMITER, bodies without one, comments that are code, escapes."""

from __future__ import annotations

import pytest

from driftflow.dialects.directives import file_directives
from driftflow.dialects.mysql.split import split
from driftflow.dialects.source_text import SourceText
from driftflow.errors import ParseError

LOOPS = """create trigger a after update on t for each row begin declare x int; while x < 3 do set x = x + 1; end while;
l: loop leave l; end loop; repeat set x = 1; until x end repeat; end"""


def texts(source: str, *, mariadb: bool = False) -> list[str]:
    return [statement.sql for statement in split(SourceText(source), mariadb=mariadb)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        (";; select 1;;", ["select 1"]),
        ("select ';', \"a;b\", `c;d` -- e;f\n; select 2 # g;h\n", ["select ';', \"a;b\", `c;d`", "select 2"]),
        (r"select 'it\'s; so'; select 2", [r"select 'it\'s; so'", "select 2"]),
        ("select 5--1; select 2", ["select 5--1", "select 2"]),
        ("/* a;b */ select 1", ["select 1"]),
        ("/*!50003 create table t (id int) */; select 2", ["/*!50003 create table t (id int) */", "select 2"]),
        ("create table t (id int) /*!50100 partition by hash (id) */;", ["create table t (id int) /*!50100 partition by hash (id) */"]),
        ("delimiter $$\ncreate trigger a before insert on t for each row begin set new.x = 1; end$$\ndelimiter ;\nselect 1;",
         ["create trigger a before insert on t for each row begin set new.x = 1; end", "select 1"]),
        ("DELIMITER //\nselect 1; select 2//\nDELIMITER ;", ["select 1; select 2"]),
        ("create procedure p() begin if a then select 1; end if; case b when 1 then select 2; end case; end; select 3",
         ["create procedure p() begin if a then select 1; end if; case b when 1 then select 2; end case; end", "select 3"]),
        (f"{LOOPS}; select 1", [LOOPS, "select 1"]),
        ("create function f() returns int return if(1, case when 1 then 2 else 3 end, 4); select 1",
         ["create function f() returns int return if(1, case when 1 then 2 else 3 end, 4)", "select 1"]),
        ("drop trigger a; drop procedure if exists p; select 1", ["drop trigger a", "drop procedure if exists p", "select 1"]),
    ],
)  # fmt: skip
def test_where_a_file_is_cut(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_code_for_mariadb_alone_is_a_comment_to_mysql() -> None:
    assert texts("/*M!100100 select 1; */ select 2") == ["select 2"]
    assert texts("/*M!100100 select 1 */; select 2", mariadb=True) == ["/*M!100100 select 1 */", "select 2"]


def test_code_for_mysql_8_is_a_comment_to_mariadb() -> None:
    assert texts("/*!80000 select 1; */ select 2", mariadb=True) == ["select 2"]


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("select 1;\nselect 'a", "DF-E202", 2),
        ("select `a", "DF-E202", 1),
        ("select 1 /* a", "DF-E202", 1),
        ("select 1 /*! a", "DF-E202", 1),
        ("select \x00", "DF-E203", 1),
        ("select 1;\nsource other.sql", "DF-E204", 2),
        ("create trigger a before insert on t for each row begin set new.x = 1;", "DF-E206", 1),
        ("select 1 */", "DF-E205", 1),
    ],
)
def test_what_cannot_be_cut_says_where(source: str, code: str, line: int) -> None:
    with pytest.raises(ParseError) as raised:
        split(SourceText(source, file="a.sql"))
    assert raised.value.code == code
    assert f"a.sql:{line}:" in raised.value.where


def test_a_directive_belongs_to_the_statement_behind_it() -> None:
    first, second = split(SourceText('select 1;\n# driftflow: ignore DF102 reason="small"\nselect 2;'))
    assert not first.directives
    assert [one.verb for one in second.directives] == ["ignore"]


def test_a_directive_of_the_file_may_stand_behind_any_comment() -> None:
    text = "# made by hand\n# driftflow: file transaction=none\nSELECT 1;\n# driftflow: small\nSELECT 2;"
    (directive,) = file_directives(SourceText(text))
    assert (directive.options, directive.span.line) == ({"transaction": "none"}, 2)
