"""The report is one page that needs nothing but itself."""

from __future__ import annotations

import base64
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sharpwave.report import read_run, write_report
from sharpwave.runs import RunError, start
from walks import EXPERIMENT, WalkConfig


class Page(HTMLParser):
    """Collects the addresses that a browser would fetch, the images, and elements left open."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "link", "iframe", "object", "embed", "base"):
            self.fetched.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset", "data", "poster", "action")]
        if tag == "img":
            self.images.append(found)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = start(EXPERIMENT, WalkConfig(tau_f=2.5), tmp_path_factory.mktemp("runs"), "sharpwave run walk --tau-f 2.5")
    run.execute()
    return run.directory


def test_nothing_is_fetched_and_every_image_has_words(run: Path) -> None:
    text = (run / "report.html").read_text()
    page = Page(text)
    assert page.misnested == []
    assert page.open == []
    assert [address.partition(",")[0] for address in page.fetched] == ["data:image/svg+xml;base64"]
    assert not re.search(r"(@import|url\()", text)
    assert "http" not in text
    assert [image["alt"] for image in page.images] == ["Twenty lines & more"]
    svg = base64.b64decode(page.fetched[0].partition(",")[2]).decode()
    assert svg.rstrip().endswith("</svg>")
    assert not re.search(r'(href|src)="(?!#|data:)', svg)


def test_what_the_steps_found_is_on_the_page_and_escaped(run: Path) -> None:
    text = (run / "report.html").read_text()
    assert "Walks &lt;all&gt;" in text
    assert "Walks <all>" not in text
    for expected in ("Random walks", "Ends differ.", "place / m", "spread", "of all places", "0.25 s"):
        assert expected in text
    assert "sharpwave run walk --tau-f 2.5" in text
    assert "not finished" not in text


def test_the_report_is_made_again_from_the_files_alone(run: Path, tmp_path: Path) -> None:
    text = (run / "report.html").read_text()
    (run / "report.html").unlink()
    assert write_report(run).read_text() == text
    moved = shutil.copytree(run, tmp_path / "moved")
    assert "Walks &lt;all&gt;" in write_report(moved).read_text()


def test_an_unfinished_run_says_what_is_missing(run: Path, tmp_path: Path) -> None:
    partial = shutil.copytree(run, tmp_path / "partial")
    next((partial / "state").glob("*-draw_figure.json")).unlink()
    text = write_report(partial).read_text()
    assert "not finished: draw_figure still to be done" in text
    assert Page(text).images == []


def test_a_run_with_no_step_done_has_a_report(tmp_path: Path) -> None:
    run = start(EXPERIMENT, WalkConfig(), tmp_path)
    assert "Random walks" in write_report(run.directory).read_text()


def test_a_series_shows_its_last_value(run: Path) -> None:
    (ends,) = [line for step in read_run(run)["steps"] for line in step["metrics"] if line["name"] == "end"]
    assert ends["at"] == 19


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run"):
        write_report(tmp_path)
