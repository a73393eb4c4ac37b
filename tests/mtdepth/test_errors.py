import pytest

from mtdepth.errors import in_words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("a  b", "error: a b"),
        ("two drives:\n  one;\n\n  two\n", "error: two drives:\n  one;\n  two"),
        ("", "error: "),
    ],
)
def test_lines_stay_lines(said: str, expected: str) -> None:
    assert in_words(ValueError(said)) == expected
