"""No text from anywhere breaks a report or does anything in it, in any of its formats."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from study.events import Event
from study.report import write_report
from study.report.content import make_content
from study.report.drawing import legend_below, new_axes, plain, save
from study.report.escaping import one_line, tex, visible
from study.report.templates import render
from study.results import read_results
from tests.study.ledgers import METRIC, told_space, trial, write_study

PARTS = [
    "<script>alert(1)</script>", "</style>", "</pre>", "<!--", "-->", "]]>", "&lt;", "&#x3c;",
    '"', "'", "\\", "\\input{x}", "\\end{tabular}", "%", "$", "$$x$$", "{", "}", "{{ 7*7 }}",
    "{% x %}", "|", "\n", "\r", "\t", "\x00", "\x1b[31m", "\x85", "\u2028", "\u202e", "\u2067",
    "\ud800", "\ufeff", "^^M", "^^5c", "~", "#", "_", "&", "[x](y)", "![x](y)", "`", "```", "*",
    "# x", "- x", "1. x", "http://a.b", "--", "漢字", "שלום", "مرحبا", "😀", "e\u0301", "ﬁ", "Ł",
    "«", "Ð", "½", "a", " ", "",
]  # fmt: skip
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=6).map("".join)
slow = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text: list[str] = []
        self.others: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def storable(text: str) -> str:
    """The text as a file can hold it, and not empty."""
    return text.encode("utf-8", "replace").decode() if one_line(text) else "x"


def study_of(directory: Path, question: str, error: str, image: str) -> Path:
    """A study that has the texts wherever they can come from."""
    events: list[Event] = [
        *trial("a", 1, test={METRIC: 0.3}, images=[{"image": image, METRIC: 0.3}]),
        *trial("b", 1, status="failed", error=error),
    ]
    told: dict[str, Any] = {"command": error, "machine": {"system": image, "gpus": [question]}}
    shutil.rmtree(directory, ignore_errors=True)
    study = write_study(directory, events, told_space(question=question), **told)
    (study / "shown").mkdir()
    return study


def markdown(study: Path) -> Shape:
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return Shape(rendered.render((study / "report.md").read_text()))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study whose texts are harmless."""
    study = study_of(tmp_path_factory.mktemp("usual"), "x", "x", "x")
    write_report(study)
    return study


@slow
@given(question=texts, error=texts, image=texts)
def test_it_has_the_same_elements_whatever_it_says(
    tmp_path: Path, usual: Path, question: str, error: str, image: str
) -> None:
    study = study_of(tmp_path / "study", *map(storable, (question, error, image)))
    write_report(study)
    page, usual_page = (Shape((one / "report.html").read_text()) for one in (study, usual))
    assert page.elements == usual_page.elements
    assert page.others == usual_page.others == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
                         "".join(page.text))  # fmt: skip
    tags = [[tag for tag, _ in markdown(one).elements] for one in (study, usual)]
    assert tags[0] == tags[1]


@given(texts)
def test_what_is_visible_is_whole_text(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    shown.encode()
    assert visible(shown) == shown


@given(texts)
def test_no_template_acts_on_what_it_shows(text: str) -> None:
    page = render("compare.html.j2", title=text, studies=[("A", text, text)], note=text,
                  figures=[], tables=[(text, (text,), [(text,)])], sections=[])  # fmt: skip
    usual = render("compare.html.j2", title="x", studies=[("A", "x", "x")], note="x",
                   figures=[], tables=[("x", ("x",), [("x",)])], sections=[])  # fmt: skip
    assert Shape(page).elements == Shape(usual).elements


def pdf_text(directory: Path, body: str) -> str:
    """The text of what pdflatex makes of a body; it must take it without an error."""
    source = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (directory / "t.tex").write_text(f"{source}{body}\n\\end{{document}}\n")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex"],
        cwd=directory, capture_output=True, check=False,
    )  # fmt: skip
    log = (directory / "t.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Missing character" not in log
    if shutil.which("pdftotext") is None:
        return ""
    return subprocess.run(
        ["pdftotext", "t.pdf", "-"], cwd=directory, capture_output=True, check=True, text=True
    ).stdout


needs_latex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")


@needs_latex
def test_latex_takes_every_text(tmp_path: Path) -> None:
    rows = "".join(f"{tex(part)} & {tex(part * 2)} \\\\\n" for part in PARTS)
    every = "\n\n".join(f"{tex(chr(code))}." for code in range(0x20, 0x2FF))
    table = f"\\begin{{tabular}}{{ll}}\n{rows}\\end{{tabular}}\n\n{every}"
    assert "alert(1)" in pdf_text(tmp_path, table).replace(" ", "") or not shutil.which("pdftotext")


@needs_latex
def test_latex_takes_tables_that_say_anything(tmp_path: Path) -> None:
    events = [e for arm in "ab" for s in (1, 2, 3)
              for e in trial(arm, s, test={METRIC: s / 10})]  # fmt: skip
    told = make_content(read_results(write_study(tmp_path / "study", events)))
    rows = [replace(told.rows[0], arm=p, sources=[([p], [p])]) for p in PARTS]
    differences = [{**told.differences[0], "arm": p, "metric": p, "reference": p} for p in PARTS]
    content = replace(
        told, study="\n".join(PARTS), metrics=["{|}"], rows=rows, footnotes=PARTS,
        differences=differences, difference_notes=PARTS,
    )  # fmt: skip
    for name in ("table.tex.j2", "differences.tex.j2"):
        text = pdf_text(tmp_path, render(name, c=content, colours={}))
        assert not text or text.count("alert(1)") >= 2


@example(text="\x00Ã\x9f\x00{{ 7*7 }}مرحبا1. x\ufeff")  # noqa: RUF001
@slow
@given(text=texts)
def test_figures_take_every_text(tmp_path: Path, text: str) -> None:
    figure, axes = new_axes()
    axes.set_title(plain(text))
    axes.plot([1], [1], label=plain(text))
    legend_below(figure, [axes])
    save(figure, tmp_path / "figure.png")
