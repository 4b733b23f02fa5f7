"""The results as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def render(results: dict[str, Any]) -> str:
    machine = results["machine"]
    lines = [
        (
            f"driftflow {machine['driftflow']} · {machine['cpus']} CPUs, load {machine['load_before'][0]} before · Python {machine['python']}"
            f" · PostgreSQL {machine['postgresql']} · SQLite {machine['sqlite']} · {results['rounds']} rounds, {results['benchmark_seconds']} s"
        ),
    ]
    for name in ("postgresql", "sqlite"):
        if name in results:
            lines += ["", *_backfill(name, results[name])]
    if "stalls" in results:
        lines += ["", *_stalls(results["stalls"])]
    for server, found in results.get("rebuild", {}).items():
        lines += ["", *_rebuild(server, found)]
    if "catalog" in results:
        found = results["catalog"]
        lines += [
            "",
            f"catalog of {found['tables']:,} tables: {found['seconds']:.2f} s ({found['cpu_seconds']:.2f} s of CPU, ours and the server's), {found['queries']} queries (limit 2 s)",
        ]
    for name, found in results.get("fingerprints", {"servers": {}})["servers"].items():
        lines.append(
            f"fingerprint of 2 tables among {results['fingerprints']['tables']:,}, {name}: {found['seconds'] * 1000:.0f} ms"
            f" ({found['first_seconds'] * 1000:.0f} ms the first time), {found['seconds'] / found['whole_seconds']:.3f} of reading the whole catalog"
        )
    if "lint" in results:
        lines += ["", *_lint(results["lint"])]
    if "start" in results:
        lines.append(f"driftflow --help: {results['start']['cpu_ms']:.0f} ms CPU (limit 150 ms)")
    return "\n".join(lines)


def _lint(found: dict[str, Any]) -> Iterator[str]:
    ours, theirs = found["medians"]["driftflow"], found["medians"]["squawk"]
    yield (
        f"lint of {found['files']:,} files, {found['statements']:,} statements, cold: driftflow {ours:.2f} s, squawk {theirs:.2f} s:"
        f" {_ratio(found['ratio'])} of it (limit {found['limit']:.1f}); at most {found['memory_mb']:,} MB"
    )
    yield f"  processor time: {_ratio(found['cpu_ratio'])} of squawk's"
    yield f"  again, with nothing changed: {_ratio(found['again'])} of it (limit {found['again_limit']:.1f})"
    one = found["one_file_ms"]
    yield f"lint of one file: {one['median']:.0f} ms, p95 {one['p95']:.0f} ms (limit {found['one_file_limit_ms']} ms)"


def _backfill(name: str, found: dict[str, Any]) -> Iterator[str]:
    yield f"backfill of {found['rows']:,} rows, {name} (rest off; loop chunks of {found['loop_chunk_rows']:,} rows)"
    yield f"  {'':<15}{'seconds':>9}" + "".join(f"{title:>20}" for title in _others(found))
    for contender, figures in found["medians"].items():
        ratio = found["ratios"].get(contender)
        told = "" if ratio is None else f"   driftflow takes {_ratio(ratio['seconds'])} of it"
        yield f"  {contender:<15}{figures['seconds']:>9.2f}" + "".join(f"{figures[key]:>20,.1f}" for key in _others(found)) + told
    for title, key in (("no rest", "chunks_without_rest_ms"), ("default pace", "chunks_at_default_pace_ms")):
        chunk = found[key]
        yield f"  chunks, {title}: p50 {chunk['p50']:.0f} ms, p99 {chunk['p99']:.0f} ms, longest {chunk['max']:.0f} ms"
    yield (
        f"  at the default pace: {found['default_pace_seconds']:.1f} s, {found['default_pace_rows_per_second']:,.0f} rows/s;"
        f" {found['chunks_over_limit_at_default_pace']} of {found['chunks_at_default_pace']} chunks over {found['chunk_limit_ms']} ms"
    )


def _rebuild(server: str, found: dict[str, Any]) -> Iterator[str]:
    yield f"rebuild of {found['rows']:,} rows under a writer, {server} (default pace)"
    yield f"  {'':<15}{'seconds':>9}{'server CPU s':>14}{'writer p99 ms':>15}{'longest ms':>12}{'transactions':>14}"
    for contender, figures in found["medians"].items():
        yield (
            f"  {contender:<15}{figures['seconds']:>9.2f}{figures['server_cpu_seconds']:>14.1f}{figures['writer_p99_ms']:>15.1f}"
            f"{figures['writer_longest_ms']:>12.0f}{figures['writer_transactions']:>14,.0f}"
        )
    for figure, ratio in found["ratios"]["blocking ALTER"].items():
        yield f"  {figure}: {_ratio(ratio)} of the ALTER's"
    for purpose, milliseconds in found["longest_steps"]:
        yield f"  {milliseconds:>8,} ms  {purpose[:110]}"


def _others(found: dict[str, Any]) -> list[str]:
    return [key for key in next(iter(found["medians"].values())) if key != "seconds"]


def _ratio(values: dict[str, float]) -> str:
    return f"{values['median']:.2f} ({values['least']:.2f} to {values['most']:.2f})"


def _stalls(found: dict[str, Any]) -> Iterator[str]:
    yield f"the writer's transactions meanwhile, {next(iter(found.values()))['size']['orders']:,} orders (driftflow at the default pace)"
    yield f"  {'':<36}{'p99 ms':>9}{'longest ms':>12}{'failed':>8}{'of':>8}{'seconds':>9}"
    for database, examples in found.items():
        for example, ways in examples.items():
            if example == "size":
                continue
            for way, one in ways.items():
                note = f"   stopped at: {one['refused'][:90]}" if one.get("refused") else ""
                yield (
                    f"  {f'{database} {example}, {way}':<36}{one['p99_ms']:>9.1f}{one['max_ms']:>12.0f}{one['failed']:>8,}"
                    f"{one['transactions']:>8,}{one['seconds']:>9.1f}{note}"
                )
