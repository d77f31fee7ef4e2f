from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sharpwave.bench import cli
from sharpwave.bench.record import Cost, Entry, Group, Point, RecordError, compare, load, save
from sharpwave.bench.table import BEGIN, END, details, main, put_into, summary

CONTEXT = {
    "environment": {
        "versions": {"python": "3.11.7", "sharpwave": "0.1.0"},
        "commit": "abc123",
        "julia": {"runtime": "libjulia", "version": "1.5.3", "threads": 2},
        "machine": {"system": "Linux x86_64", "cores": 2, "processor": "a processor", "memory_gb": 23.5},
    },
    "peers": {"numbalsoda": "0.3.4"},
    "command": "sharpwave bench ode",
    "time": "2026-01-02T03:04:05+00:00",
}


def point(solver, rtol, seconds, error, **more):
    return Point(solver, "hires", rtol, 1e-9, seconds, seconds, seconds, 5, error, **more)


POINTS = (
    point("ours", 1e-4, 1e-3, 1e-4, compile_seconds=0.5),
    point("ours", 1e-6, 4e-3, 1e-6),
    point("peer", 1e-4, 6e-3, 1e-5, compile_seconds=2.0),
    point("peer", 1e-6, 9e-3, 1e-9),
    Point("slow", "hires", 1e-4, 1e-7, status="over 30 s"),
)
ENTRIES = compare(POINTS, {"hires": "ours"})
COST = Cost("call through the queue", 2e-5, 1e-5, 3e-5, 15, 5e-5, "the project's target")
GROUP = Group(CONTEXT, POINTS, ENTRIES, (COST,), {"diffrax Kvaerno5": "No module named 'diffrax'"})


def test_a_peers_point_is_compared_at_its_own_error():
    assert ENTRIES[0] == Entry(
        "hires", "ours", "peer", 1e-4, 1e-9, 6e-3, 1e-5, pytest.approx(2e-3), 1e-5, pytest.approx(3.0), "interpolated"
    )


def test_where_our_curve_does_not_reach_there_is_no_ratio_but_a_reason():
    assert (ENTRIES[1].ratio, ENTRIES[1].how) == (None, "our curve ends at an error of 1.0e-06")


def test_a_peer_that_did_not_finish_is_an_entry_too():
    assert (ENTRIES[2].peer, ENTRIES[2].ratio, ENTRIES[2].how) == ("slow", None, "over 30 s")


def test_where_ours_failed_the_entry_says_so():
    failed = [replace(one, seconds=None, error=None, status="failed: x") for one in POINTS[:2]]
    assert {entry.how for entry in compare([*failed, POINTS[2]], {"hires": "ours"})} == {"ours was not measured"}


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    save(tmp_path / "bench.json", {"ode": GROUP})
    assert load(tmp_path / "bench.json") == {"ode": GROUP}


def test_the_fields_of_an_entry_in_the_file(tmp_path):
    save(tmp_path / "bench.json", {"ode": GROUP})
    group = json.loads((tmp_path / "bench.json").read_text())["groups"]["ode"]
    assert set(group["entries"][0]) == {
        *("problem", "ours", "peer", "rtol", "atol", "ratio", "how"),
        *("peer_seconds", "peer_error", "ours_seconds", "ours_error"),
    }
    assert set(group["context"]) == {"environment", "peers", "command", "time"}
    assert {"versions", "machine", "commit"} <= set(group["context"]["environment"])


def test_saving_one_group_keeps_the_others(tmp_path):
    path = tmp_path / "bench.json"
    save(path, {"ode": GROUP, "bridge": GROUP})
    save(path, {"bridge": replace(GROUP, points=(), entries=())})
    groups = load(path)
    assert groups["ode"] == GROUP
    assert groups["bridge"].points == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a record"),
        ("[]", "not a record"),
        ('{"schema": 0, "groups": {}}', "schema 0, expected 1"),
        (
            '{"schema": 1, "groups": {"ode": {"context": {}, "missing": {}, "points": [{"solver": "x"}]}}}',
            "Point has fields",
        ),
    ],
)
def test_another_file_is_refused(tmp_path, text, message):
    (tmp_path / "bench.json").write_text(text)
    with pytest.raises(RecordError, match=message):
        load(tmp_path / "bench.json")


def test_the_summary_says_ratio_compile_time_machine_and_who_was_missing():
    text = summary({"ode": GROUP})
    assert "| hires | peer | 3 | 3 to 3 | 1 of 2 | 1e-05 to 1e-05 | 2 s | 500 ms |" in text
    assert "| hires | slow | - | over 30 s | 0 of 1 | - | - | 500 ms |" in text
    assert "| call through the queue | 20 us | 50 us | yes | the project's target |" in text
    for word in ("abc123", "a processor", "Julia 1.5.3", "numbalsoda 0.3.4", "2026-01-02", "diffrax Kvaerno5"):
        assert word in text


def test_the_details_have_every_point():
    text = details({"ode": GROUP})
    assert "| hires | peer | 1e-04 | 1.0e-05 | 6 ms | 2 ms | 1.0e-05 | 3 | interpolated |" in text
    assert text.count("| hires | peer |") == 2
    assert text.count("| hires | ours |") == 2


def test_tables_go_between_the_marks_and_nowhere_else(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    record = tmp_path / "bench.json"
    save(record, {"ode": GROUP})
    assert main([str(record), str(page)]) == 0
    once = page.read_text()
    assert once.startswith(f"before\n{BEGIN}\n\n### Stiff")
    assert once.endswith(f"{END}\nafter\n")
    assert "old" not in once
    assert "| problem | peer | slow |" in once
    assert "| hires | 3 (3 to 3) | over 30 s |" in once
    main([str(record), str(page)])
    assert page.read_text() == once


def test_a_page_without_the_marks_is_left_alone(tmp_path):
    page = tmp_path / "README.md"
    page.write_text(f"{END} {BEGIN}")
    with pytest.raises(RecordError, match="in this order"):
        put_into(page, "tables")
    assert page.read_text() == f"{END} {BEGIN}"


def test_an_unknown_group_is_refused(capsys):
    with pytest.raises(SystemExit):
        cli.main(["odes"])
    assert "no group is called 'odes': there are bridge, ode, recall" in capsys.readouterr().err
