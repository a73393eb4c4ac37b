"""The saved view says what MLflow's page reads; `test_page.py` opens it in a browser."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from study.tracking.view import MAX_PARAMETERS, view_tag
from tests.study.simulated import OBJECTIVE, simulated_space


def state_of(value: str) -> dict[str, Any]:
    packed = json.loads(value)["state"].removeprefix("deflate;")
    told: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return told


def test_runs_are_grouped_by_arm_with_few_columns() -> None:
    name, value = view_tag(simulated_space(), [OBJECTIVE, OBJECTIVE], 7)
    assert name == "mlflow.sharedViewState.by-arm"
    assert json.loads(value) | {"state": ""} == {
        "name": "by arm",
        "createdAt": 7,
        "updatedAt": 7,
        "state": "",
    }
    told = state_of(value)
    assert told["groupBy"]["groupByKeys"] == [{"mode": "tag", "groupByData": "study.arm"}]
    assert told["selectedColumns"] == [
        "tags.`study.phase`",
        "metrics.`test/depth/abs_rel`",
        f"metrics.`{OBJECTIVE}`",
        "params.`optimizer.lr`",
    ]


def test_a_wide_search_shows_its_first_parameters() -> None:
    wide = {
        f"losses.w{i}": {"type": "float", "low": 0, "high": 1} for i in range(2 * MAX_PARAMETERS)
    }
    space = simulated_space(search={"trials_per_arm": 1, "space": wide})
    columns = state_of(view_tag(space, [OBJECTIVE], 7)[1])["selectedColumns"]
    assert sum(column.startswith("params.") for column in columns) == MAX_PARAMETERS
