"""The text report: excerpts of long and of many lines, tabs, colours."""

from __future__ import annotations

from driftflow.model.migration import Statement
from driftflow.model.names import Span
from driftflow.model.record import replace
from driftflow.reports.source import excerpt
from driftflow.reports.style import RED, Paint

PLAIN = Paint(color=False)


def statement(sql: str, *, line: int = 3, column: int = 1) -> Statement:
    lines = sql.split("\n")
    end_column = len(lines[-1]) + (column if len(lines) == 1 else 1)
    span = Span(file="a.sql", line=line, column=column, end_line=line + len(lines) - 1, end_column=end_column, end=len(sql))
    return Statement(sql=sql, span=span)


def test_a_word_is_underlined() -> None:
    one = statement("ALTER TABLE t DROP COLUMN x")
    span = replace(one.span, column=27, end_column=28)
    assert excerpt(one, span, PLAIN, "") == [
        "  |",
        "3 | ALTER TABLE t DROP COLUMN x",
        "  |                           ^",
    ]


def test_a_word_on_a_later_line_keeps_the_first_line_in_view() -> None:
    one = statement("ALTER TABLE t\n    ADD COLUMN a int,\n    DROP COLUMN x")
    span = replace(one.span, line=5, column=17, end_line=5, end_column=18)
    assert excerpt(one, span, PLAIN, "") == [
        "  |",
        "3 | ALTER TABLE t",
        "…",
        "5 |     DROP COLUMN x",
        "  |                 ^",
    ]


def test_a_whole_statement_of_many_lines_is_cut() -> None:
    one = statement("\n".join(f"line {number}" for number in range(9)))
    found = excerpt(one, one.span, PLAIN, "")
    assert found[1] == "3 | line 0"
    assert found[-1] == "  | … 5 more lines"


def test_a_long_line_is_cut_around_the_place() -> None:
    one = statement(f"SELECT '{'x' * 500}', wanted, '{'y' * 500}'")
    start = one.sql.index("wanted")
    span = replace(one.span, column=start + 1, end_column=start + 7)
    _, text, mark = excerpt(one, span, PLAIN, "")
    assert len(text) < 160
    assert text[mark.index("^") : mark.index("^") + mark.count("^")] == "wanted"


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    sql = "UPDATE t SET n = '名前e\u0301', wanted = 1"
    one = statement(sql)
    start = sql.index("wanted")
    _, text, mark = excerpt(one, replace(one.span, column=start + 1, end_column=start + 7), PLAIN, "")
    assert mark.index("^") - mark.index("|") == text.index("wanted") - text.index("|") + 2 - 1
    assert mark.count("^") == 6


def test_a_wide_name_is_underlined_in_full() -> None:
    one = statement('DROP TABLE "大きな"')
    assert excerpt(one, replace(one.span, column=12, end_column=17), PLAIN, "")[2].count("^") == 8


def test_tabs_take_one_column_in_the_line_and_under_it() -> None:
    one = statement("ALTER TABLE t\n\t\tDROP COLUMN x")
    lines = excerpt(one, replace(one.span, line=4, column=15, end_line=4, end_column=16), PLAIN, "")
    assert lines[-2][lines[-1].index("^")] == "x"


def test_a_statement_that_begins_within_a_line() -> None:
    one = statement("DROP TABLE t", column=12)
    assert excerpt(one, one.span, PLAIN, "")[1:] == ["3 |            DROP TABLE t", "  |            ^^^^^^^^^^^^"]


def test_colour_is_a_choice() -> None:
    one = statement("DROP TABLE t")
    assert "\x1b[" not in "".join(excerpt(one, one.span, PLAIN, RED))
    assert RED in "".join(excerpt(one, one.span, Paint(color=True), RED))
