"""Nested settings and dotted names are two ways to say the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from study.nesting import expanded, merged, value_at

names = st.sampled_from(["a", "b", "c"])
nested = st.recursive(
    st.dictionaries(names, st.integers() | st.lists(st.integers()), max_size=3),
    lambda inner: st.dictionaries(names, inner | st.none(), max_size=3),
    max_leaves=6,
)


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        inner = flat(value, f"{prefix}{name}.") if isinstance(value, dict) and value else None
        found.update(inner if inner is not None else {prefix + name: value})
    return found


@given(nested)
def test_dotted_names_say_the_same_as_nested_ones(settings: dict[str, Any]) -> None:
    assert expanded(flat(settings)) == settings
    assert expanded(settings) == settings
    for name, value in flat(settings).items():
        assert value_at(settings, name, "default") == value


@given(nested, nested)
def test_the_upper_holds_and_the_lower_fills_in(
    lower: dict[str, Any], upper: dict[str, Any]
) -> None:
    both = merged(lower, upper)
    assert merged(both, upper) == both
    assert merged(lower, {}) == merged({}, lower) == lower
    for name, value in flat(upper).items():
        assert value == {} or value_at(both, name, "default") == value
    for name, value in flat(lower).items():
        said_above = any(
            name == other or name.startswith(f"{other}.") or other.startswith(f"{name}.")
            for other in flat(upper)
        )
        assert said_above or value_at(both, name, "default") == value


def test_a_way_that_ends_gives_the_default() -> None:
    settings = {"a": {"b": None}, "c": 1}
    assert value_at(settings, "a.b", 7) is None
    assert value_at(settings, "a.x", 7) == value_at(settings, "c.d", 7) == 7
    assert value_at(settings, "x") is None
