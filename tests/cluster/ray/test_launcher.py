"""Files for `ray up` are what Ray's own launcher takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ray.autoscaler._private.util import prepare_config, validate_config

from tests.cluster.shell import faults
from tests.cluster.sites import documents

COMMANDS = [
    "initialization_commands",
    "setup_commands",
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
]
WAYS = ["cloud", "machines"]


def rendered(way: str, directory: Path, **changes: Any) -> dict[str, Any]:
    (found,) = documents(way, directory, **changes)
    return found


def prepared(way: str, directory: Path, **changes: Any) -> dict[str, Any]:
    """As the launcher does before it launches anything."""
    found: dict[str, Any] = prepare_config(rendered(way, directory, **changes))
    validate_config(found)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_rays_launcher_takes_it(way: str, tmp_path: Path) -> None:
    found = prepared(way, tmp_path)
    assert found["max_workers"] == {"cloud": 4, "machines": 2}[way]
    assert found["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


@pytest.mark.parametrize("way", WAYS)
def test_what_ray_fills_in_runs_no_command_of_its_own(way: str, tmp_path: Path) -> None:
    told, found = rendered(way, tmp_path), prepared(way, tmp_path)
    for name in COMMANDS:
        of_all = name in ("head_setup_commands", "worker_setup_commands")
        assert found[name] == (told["setup_commands"] if of_all else []) + told[name]


def test_rays_launcher_refuses_a_field_that_it_does_not_know(tmp_path: Path) -> None:
    broken = rendered("cloud", tmp_path) | {"max_wokers": 3}
    with pytest.raises(Exception, match="max_wokers"):
        validate_config(prepare_config(broken))


def test_the_head_stays_and_spot_workers_are_replaced(tmp_path: Path) -> None:
    types = prepared("cloud", tmp_path)["available_node_types"]
    assert "InstanceMarketOptions" not in types["head"]["node_config"]
    assert types["head"]["resources"] == {"CPU": 0, "GPU": 0}
    assert types["head"]["max_workers"] == 0
    assert types["spot"]["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert "InstanceMarketOptions" not in types["steady"]["node_config"]
    assert [types[name]["min_workers"] for name in ("spot", "steady")] == [3, 1]
    assert types["spot"]["node_config"]["IamInstanceProfile"] == {"Name": "reads-data"}
    assert "IamInstanceProfile" not in types["head"]["node_config"]
    assert all(
        each["node_config"]["MetadataOptions"] == {"HttpTokens": "required"}
        for each in types.values()
    )


def test_machines_are_those_of_the_site(tmp_path: Path) -> None:
    found = prepared("machines", tmp_path)
    assert found["provider"]["head_ip"] == "10.0.0.1"
    assert found["provider"]["worker_ips"] == ["10.0.0.2", "gpu-3.example.org"]
    assert found["auth"] == {"ssh_user": "ada", "ssh_private_key": "~/.ssh/lab"}
    project = Path(found["file_mounts"]["/srv/study"])
    assert (project / "constraints.txt").is_file()
    of_all_directories = [each for each in found["rsync_exclude"] if not each.startswith("/")]
    assert of_all_directories == ["__pycache__"], "others would take mtdepth/data along"


@pytest.mark.parametrize("way", WAYS)
def test_every_command_is_sound_shell(way: str, tmp_path: Path) -> None:
    found = rendered(way, tmp_path)
    told = [command for name in COMMANDS for command in found[name]]
    assert len(told) >= 5
    for command in told:
        # 2088: Ray expands ~ itself; 2155: nothing here can fail
        assert faults(f"{command}\n", "--exclude=SC2088") == "", command


@pytest.mark.parametrize("way", WAYS)
def test_all_of_ray_asks_for_a_token_and_no_dashboard_is_open(way: str, tmp_path: Path) -> None:
    found = rendered(way, tmp_path)
    heads = [c for c in found["head_start_ray_commands"] if "ray start" in c]
    starts = heads + [c for c in found["worker_start_ray_commands"] if "ray start" in c]
    assert len(starts) == 2
    assert all(re.search(r"export .*RAY_AUTH_MODE=token;", command) for command in starts)
    assert "--dashboard-host=127.0.0.1" in heads[0]
