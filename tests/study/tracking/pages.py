"""MLflow's own page in a headless Chromium: what a user of a tracked study opens.

`python -m tests.study.tracking.pages URI EXPERIMENT OUT` keeps screenshots of a study that is
tracked at an HTTP server, for the documentation.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlflow import MlflowClient
from playwright.sync_api import Page, sync_playwright

PATIENCE_MS = 60_000
_CALM = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
"""Else a panel opens that nobody asked for."""


def chromium() -> str | None:
    """The browser, where it is installed."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def browser() -> Iterator[Page]:
    """A page as large as a desktop's."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        context = opened.new_context(viewport={"width": 1500, "height": 900})
        context.add_init_script(_CALM)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page
        opened.close()


class Pages:
    """The pages of one study's experiment.

    Args:
        page: of a browser.
        uri: of the server.
        experiment: the study's name.
        out: where screenshots go.
    """

    def __init__(self, page: Page, uri: str, experiment: str, out: Path) -> None:
        self.page, self._uri, self._out = page, uri, out
        self.client = MlflowClient(uri)
        found = self.client.get_experiment_by_name(experiment)
        assert found is not None
        self.experiment = found.experiment_id
        self.runs: dict[str, Any] = {
            run.data.tags["study.trial_key"]: run
            for run in self.client.search_runs([found.experiment_id])
        }

    def by_arm(self) -> None:
        """The runs, by the view that the platform saves."""
        self._go(f"experiments/{self.experiment}/runs?workflowType=machine_learning")
        self.page.get_by_role("button", name="Views").click()
        self.page.get_by_text("by arm", exact=True).first.click()
        self.page.get_by_text("Group: ").first.wait_for()
        self._keep("mlflow-runs")

    def compare(self, keys: list[str]) -> None:
        """Some runs side by side."""
        chosen = quote(json.dumps([self.runs[key].info.run_id for key in keys]))
        self._go(f"compare-runs?runs={chosen}&experiments={quote(json.dumps([self.experiment]))}")
        self.page.get_by_text(f"Comparing {len(keys)} Runs").first.wait_for()
        self._keep("mlflow-compare")

    def picture(self, key: str, path: str) -> None:
        """A picture of a run, as its artifact."""
        self._go(
            f"experiments/{self.experiment}/runs/{self.runs[key].info.run_id}/artifacts/{path}"
        )
        self.page.wait_for_function(
            "[...document.images].some(image => image.naturalWidth > 300 && image.width > 200)"
        )
        self._keep("mlflow-pictures")

    def system_metrics(self, key: str) -> None:
        """What the trial took of its machine."""
        run = self.runs[key].info.run_id
        self._go(f"experiments/{self.experiment}/runs/{run}/system-metrics")
        self.page.get_by_text("system/").first.wait_for()
        self._keep("mlflow-system")

    def model(self, name: str) -> None:
        """A registered model with its versions."""
        self._go(f"models/{name}")
        self.page.get_by_text("champion").first.wait_for()
        self._keep("mlflow-model")

    def _go(self, where: str) -> None:
        self.page.goto(f"{self._uri}/#/{where}")

    def _keep(self, name: str) -> None:
        self.page.wait_for_timeout(1500)  # charts draw themselves in
        self.page.screenshot(path=self._out / f"{name}.png")


if __name__ == "__main__":
    uri, experiment, out = sys.argv[1:]
    with browser() as page:
        pages = Pages(page, uri, experiment, Path(out))
        trials = [key for key in sorted(pages.runs) if key.startswith("confirm-")]
        pages.by_arm()
        pages.compare(trials[:: max(1, len(trials) // 5)][:5])
        listed = pages.client.list_artifacts(pages.runs[trials[-1]].info.run_id, "pictures")
        pages.picture(trials[-1], listed[-1].path)
        pages.system_metrics(trials[-1])
        pages.model(f"mtdepth-{experiment}")
