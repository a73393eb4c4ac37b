import pytest
from pydantic import ValidationError

from mtdepth.config import TrainConfig
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


def test_wrong_settings_are_named_with_what_was_found() -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({"epochs": 0, "depth": {"min_m": 9, "max_m": 8}})
    told = in_words(caught.value, "train")
    assert told.startswith("train: depth: expected min_m < max_m, found 9.0 and 8.0, found {")
    assert told.endswith("; epochs: Input should be greater than or equal to 1, found 0")


def test_a_part_that_is_wrong_as_a_whole_has_no_name() -> None:
    with pytest.raises(ValidationError) as caught:
        TrainConfig.model_validate({"tasks": ["depth", "depth"]})
    assert in_words(caught.value) == "error: expected each task once, found ['depth', 'depth']"
