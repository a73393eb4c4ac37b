"""Names and texts from anywhere are such as MLflow takes, and stay apart."""

from __future__ import annotations

import posixpath

from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.validation import _validate_batch_log_data

from study.tracking.safe import MAX_NAME, MAX_PARAM, MAX_TAG, is_safe, safe_name, safe_text

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@given(ANY_TEXT)
@example("../../etc/passwd")
@example("/etc/passwd")
@example("a//b")
@example("a/./b/")
@example(".")
@example("")
@example("a\n")
@example("λ/ü")
@example("x" * 400)
@example("a/" * 200)
@example("\ud800")
def test_mlflow_takes_any_name(name: str) -> None:
    safe = safe_name(name)
    _validate_batch_log_data([Metric(safe, 1.0, 0, 0)], [Param(safe, "1")], [RunTag(safe, "1")])
    assert len(safe) <= MAX_NAME
    assert not posixpath.normpath(posixpath.join("/run", safe)).startswith(("/..", "/etc"))
    assert posixpath.normpath(posixpath.join("/run", safe)).startswith("/run/")
    assert safe_name(safe) == safe


@given(ANY_TEXT, ANY_TEXT)
@example("a:b", "a;b")
@example("x" * 300, "x" * 301)
@example("a/../b", "a/_/b")
def test_names_that_differ_stay_apart(first: str, second: str) -> None:
    assert (safe_name(first) == safe_name(second)) == (first == second)


@given(st.from_regex(r"\A[a-z]{1,8}(/[a-z0-9_.-]*[a-z0-9]){0,3}\Z"))
def test_the_names_of_metrics_stay_as_they_are(name: str) -> None:
    assert is_safe(name)
    assert safe_name(name) == name


@given(ANY_TEXT.map(lambda text: 40 * text), st.sampled_from([MAX_PARAM, MAX_TAG]))
@example("\0\ud800" * 5000, MAX_TAG)
def test_any_text_can_be_kept(text: str, limit: int) -> None:
    safe = safe_text(text, limit)
    assert len(safe) <= limit
    assert "\0" not in safe
    safe.encode()
    if len(text) <= limit and text.isprintable():
        assert safe == text
    assert safe_text(safe, limit) == safe
