"""A saved view of MLflow's page of runs: grouped by arm, with the few columns that matter.

MLflow keeps saved views as tags of an experiment, which its page alone reads. A page that keeps
them in another way lists no view, and shows the runs as it shows any.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable

from study.space import Space

MAX_PARAMETERS = 6
_TAG = "mlflow.sharedViewState.by-arm"


def view_tag(space: Space, objectives: Iterable[str], time_ms: int) -> tuple[str, str]:
    """The tag of an experiment that holds the view, and its value.

    Args:
        space: the study.
        objectives: metrics that its arms are tuned for.
        time_ms: when the study began, which is when the view was made.
    """
    searched = list(space.search.space)[:MAX_PARAMETERS] if space.search else []
    state = {
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": [
            "tags.`study.phase`",
            *(f"metrics.`{name}`" for name in dict.fromkeys((*space.compare.metrics, *objectives))),
            *(f"params.`{name}`" for name in searched),
        ],
        "groupBy": {
            "aggregateFunction": "average",
            "groupByKeys": [{"mode": "tag", "groupByData": "study.arm"}],
        },
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    view = {
        "name": "by arm",
        "createdAt": time_ms,
        "updatedAt": time_ms,
        "state": f"deflate;{packed}",
    }
    return _TAG, json.dumps(view)
