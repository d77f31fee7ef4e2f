"""What the README says is typed here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import run_python

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("julia")
def test_the_examples_run_and_print_what_they_should() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    done = run_python("\n".join([*blocks, "print(solution.success, solution.y.shape)"]))
    assert done.returncode == 0, done.stderr
    recalled, *_ = done.stdout.splitlines()
    assert recalled.startswith("(4, 5, 6, 0, 1, 2, 3")
    assert "2.08" in done.stdout  # ROBER at 1e11, times 1e8: E. Hairer & G. Wanner, Solving ODEs II, IV.10
    assert done.stdout.splitlines()[-1] == "True (1000, 1, 1001)"


def test_links_and_pictures_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_scripts_that_are_named_exist_and_run_by_name() -> None:
    named = set(re.findall(r"\bscripts/[a-z]+\b", TEXT)) - {"scripts/results"}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_tables_are_those_of_the_kept_results() -> None:
    from sharpwave import results
    from sharpwave.bench import table as bench
    from sharpwave.bench.record import load

    kept = ROOT / "scripts" / "results"
    records = [results.read_results(file) for file in sorted(kept.glob("*.json")) if file.name != "bench.json"]
    assert len(records) >= 11
    assert _between(results.BEGIN, results.END) == results.table(records).strip()
    assert _between(bench.BEGIN, bench.END) == bench.brief(load(kept / "bench.json")).strip()


def _between(begin: str, end: str) -> str:
    return TEXT.partition(begin)[2].partition(end)[0].strip()
