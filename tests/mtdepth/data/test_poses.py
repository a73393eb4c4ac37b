from pathlib import Path

import numpy as np
import pytest

from mtdepth.data.poses import read_poses


def test_a_line_is_the_upper_part_of_a_matrix(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("1 2 3 4 5 6 7 8 9 10 11 12\n" + "0 " * 11 + "1e1\n")
    found = read_poses(tmp_path / "p.txt")
    assert found is not None
    assert found.shape == (2, 4, 4)
    assert found[0].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 1]]
    assert found[1, 2, 3] == 10
    assert found.dtype == np.float64


def test_no_file_is_no_poses(tmp_path: Path) -> None:
    assert read_poses(tmp_path / "p.txt") is None


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "x " * 12, "nan " * 12, "1 " * 12 + "\n" + "1 " * 11]
)
def test_what_is_no_pose_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(ValueError, match=r"p\.txt: expected twelve numbers in every line$"):
        read_poses(tmp_path / "p.txt")
