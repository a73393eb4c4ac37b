"""What a site says is checked before it goes anywhere."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from cluster.render import WAYS, main, render
from tests.cluster.sites import SITES, documents

HOSTILE = [
    "a; rm -rf ~",
    "$(touch x)",
    "`id`",
    "a\nb",
    "a\n",
    "-oProxyCommand=x",
    "a'b",
    'a"b',
    "a b",
    "/a/../../etc",
    "~root/x",
    "a|b",
    "a&b",
    "a>b",
    "*",
    "{a,b}",
    "é",
]
TEXTS = {
    (way, field): SITES[way][field]
    for way in SITES
    for field in WAYS[way].site.model_fields
    if isinstance(SITES[way].get(field), str)
} | {
    ("cloud", "head_profile"): "starts-machines",
    ("cloud", "head_type"): "m7i.xlarge",
    ("cloud", "ssh_user"): "ubuntu",
    ("kubernetes", "worker_memory"): "32Gi",
}


@pytest.mark.parametrize("way", WAYS)
def test_all_that_is_missing_is_named_in_a_line(
    way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([way, "--example", "--out", str(tmp_path / "site.yaml")]) == 0
    capsys.readouterr()
    assert main([way, "--site", str(tmp_path / "site.yaml"), "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    needed = [name for name, field in WAYS[way].site.model_fields.items() if field.is_required()]
    assert f"site.yaml: expected values for {', '.join(needed)}, found none\n" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("way", WAYS)
def test_an_example_filled_in_is_a_sites_file(way: str, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    assert main([way, "--example", "--out", str(file)]) == 0
    told = yaml.safe_load(file.read_text())
    assert list(told) == list(WAYS[way].site.model_fields)
    file.write_text(yaml.safe_dump(told | SITES[way]))
    assert list(yaml.safe_load_all(render(way, file))) == documents(way, tmp_path)


@pytest.mark.parametrize(
    ("way", "changes", "expected"),
    [
        ("cloud", {"regoin": "x"}, "expected the fields cluster_name, region, .*, found 'regoin'"),
        ("cloud", {"num_spot": -1}, "num_spot: Input should be greater than or equal to 0"),
        ("cloud", {"region": "-x"}, "region: expected a region such as eu-west-1, found '-x'"),
        ("machines", {"workers": ["-x"]}, "workers.0: expected a host's name or IPv4 address"),
        ("machines", {"workers": ["10.0.0.1"]}, "expected each machine once, found 10.0.0.1, 10"),
        ("kubernetes", {"worker_selector": {"a": "b c"}}, "expected a label's value, found 'b c'"),
        ("kubernetes", {"worker_selector": {"a b": "c"}}, "expected a label's name, found 'a b'"),
    ],
)
def test_what_is_wrong_is_named(
    way: str, changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=expected):
        documents(way, tmp_path, **changes)


@pytest.mark.parametrize("text", ["[1", "just words"])
def test_what_is_no_sites_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"site\.yaml: expected"):
        render("cloud", tmp_path / "site.yaml")


@pytest.mark.parametrize(("way", "field"), TEXTS)
def test_no_field_takes_a_shells_signs(way: str, field: str, tmp_path: Path) -> None:
    for value in [*HOSTILE, *(TEXTS[way, field] + value for value in HOSTILE)]:
        with pytest.raises(ValueError, match=rf"{field}: expected .*, found"):
            documents(way, tmp_path, **{field: value})


@given(st.sampled_from(sorted(TEXTS)), st.text(max_size=20))
@example(("machines", "head"), "10.0.0.9\n")
@example(("machines", "directory"), "/a/..")
def test_what_is_taken_is_a_plain_word(place: tuple[str, str], value: str) -> None:
    way, field = place
    with tempfile.TemporaryDirectory() as directory:
        try:
            documents(way, Path(directory), **{field: value})
        except ValueError:
            return
    assert value == "" or is_plain(value)


def is_plain(value: str) -> bool:
    """Whether it is one word to any shell, no option, and no way out of a directory."""
    allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@+=,~-"
    parts: Sequence[str] = value.split("/")
    return set(value) <= set(allowed) and not value.startswith("-") and ".." not in parts


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_written(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "MLFLOW_TRACKING_PASSWORD",
        "MLFLOW_TRACKING_USERNAME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "RAY_AUTH_TOKEN",
    ]
    for name in names:
        monkeypatch.setenv(name, f"canary-{name}")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("canary-of-the-token")
    assert "canary" not in yaml.safe_dump_all(documents(way, tmp_path))
    if way == "kubernetes":
        told = {"study": "/studies/a", "arguments": ["--space", "weighting.yaml"]}
        assert "canary" not in yaml.safe_dump_all(documents(way, tmp_path, told))
