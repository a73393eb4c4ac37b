"""Ray, joined for a study, and what is said where there is none."""

from __future__ import annotations

import socket
import time

import pytest
import ray

from study.ray_session import ray_session, worker_env
from study.space import Resources


@pytest.mark.usefixtures("small_ray")
def test_a_ray_that_runs_already_is_used_and_left() -> None:
    node = ray.get_runtime_context().get_node_id()
    with ray_session(Resources()):
        assert ray.get_runtime_context().get_node_id() == node
    assert ray.is_initialized()


@pytest.mark.parametrize("by", ["argument", "environment"])
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nothing_answers_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch, by: str, scheme: str
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address if by == "environment" else "elsewhere:1")
    started = time.monotonic()
    with (
        pytest.raises(ValueError, match=f"^--address: expected a Ray cluster at {address}: "),
        ray_session(Resources(), address if by == "argument" else None),
    ):
        pass
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("cpus", "threads"), [(0.5, "1"), (1, "1"), (2.9, "2"), (8, "8")])
def test_a_trial_has_as_many_threads_as_cores(cpus: float, threads: str) -> None:
    found = worker_env(Resources(cpus=cpus))
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == threads
