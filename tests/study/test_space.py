"""Spaces: read, changed, checked, and what they say when something is wrong."""

from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtdepth.config import WeightingConfig
from study.conditions import searched_by
from study.nesting import expanded, merged
from study.plan import make_plan
from study.settings import settings_of
from study.space import Space
from study.space_loading import find_space, load_space, space_as_yaml

SHIPPED = find_space("weighting.yaml")
EXAMPLE = """\
study: example
question: Does it help?
base:
  data: {name: driveworld}
  optimizer:
    lr: 2e-4
  epochs: 4
arms:
  st-depth:
    set: {tasks: [depth]}
  mt-dwa:
    set: {tasks: [depth, instances], weighting.name: dwa}
objective: {metric: val/depth/abs_rel, mode: min, fallback: val/depth/photometric}
search:
  trials_per_arm: 3
  space:
    optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}
    weighting.temperature:
      {type: float, low: 1, high: 4, when: {weighting.name: dwa}}
scheduler: {name: asha}
confirm: {seeds: [1, 2]}
compare:
  baseline: st-depth
  metrics:
    - test/depth/abs_rel
"""


def write(directory: Path, text: str) -> Path:
    path = directory / "space.yaml"
    path.write_text(text)
    return path


def error_of(path: Path, *overrides: str) -> str:
    with pytest.raises(ValueError) as caught:
        load_space(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_shipped_space_loads_by_name_and_by_path() -> None:
    assert load_space("weighting.yaml") == load_space("weighting") == load_space(SHIPPED)


def test_space_written_out_reads_back_the_same(tmp_path: Path) -> None:
    text = EXAMPLE.replace("tasks: [depth]", "tasks: [depth], max_val_samples: null")
    space = load_space(write(tmp_path, text))
    written = space_as_yaml(space)
    assert load_space(write(tmp_path, written)) == space
    assert Space.model_validate(yaml.safe_load(written)) == space
    assert space.arms["st-depth"].set["max_val_samples"] is None


def test_arm_config_merges_base_arm_params_and_seed(tmp_path: Path) -> None:
    space = load_space(write(tmp_path, EXAMPLE))
    config = space.arm_config("mt-dwa", {"weighting.temperature": 3.0, "optimizer.lr": 1e-3}, 7)
    assert config == {
        "data": {"name": "driveworld"},
        "optimizer": {"lr": 1e-3},
        "epochs": 4,
        "tasks": ["depth", "instances"],
        "weighting": {"name": "dwa", "temperature": 3.0},
        "seed": 7,
    }
    assert "seed" not in space.arm_config("st-depth")


def test_nesting_leaves_its_inputs_alone() -> None:
    lower, upper = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(lower, upper) == {"a": {"b": 1, "c": 2}}
    assert (lower, upper) == ({"a": {"b": 1}}, {"a": {"c": 2}})
    assert expanded({"a.b": 1, "a": {"c.d": 2}}) == {"a": {"b": 1, "c": {"d": 2}}}


def test_arms_search_only_what_their_settings_allow(tmp_path: Path) -> None:
    space = load_space(write(tmp_path, EXAMPLE))
    assert list(searched_by(space, "st-depth")) == ["optimizer.lr"]
    parameters = searched_by(space, "mt-dwa")
    assert list(parameters) == ["optimizer.lr", "weighting.temperature"]
    assert parameters["weighting.temperature"].when == {}


def test_conditions_on_searched_parameters_stay_and_come_first(tmp_path: Path) -> None:
    overrides = [
        "search.space.offsets.min_area={type: int, low: 1, high: 5, when: {offsets.norm: [l1]}}",
        "search.space.offsets.norm={type: categorical, choices: [l1, l2]}",
    ]
    parameters = searched_by(load_space(write(tmp_path, EXAMPLE), overrides), "mt-dwa")
    assert parameters["offsets.min_area"].when == {"offsets.norm": ["l1"]}
    names = list(parameters)
    assert names.index("offsets.norm") < names.index("offsets.min_area")


def test_conditions_in_a_circle_are_refused(tmp_path: Path) -> None:
    message = error_of(
        write(tmp_path, EXAMPLE),
        "search.space.offsets.norm={type: categorical, choices: [l1, l2], when: {depth.ssim: 0.5}}",
        "search.space.depth.ssim={type: float, low: 0, high: 1, when: {offsets.norm: l1}}",
    )
    assert message.endswith(
        "search.space: the conditions of offsets.norm, depth.ssim go in a circle"
    )


def test_yaml_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    space = load_space(write(tmp_path, EXAMPLE.replace("Does it help?", "no")))
    assert space.question == "no"
    assert space.base["optimizer"]["lr"] == 2e-4


MISTAKES = [
    # what is replaced, by what, line:column, the rest of the message
    ("question:", "qestion:", "2:1", "qestion: unknown field; did you mean 'question'?"),
    ("    lr: 2e-4", "    lrr: 2e-4", "6:5",
     "base.optimizer.lrr: unknown field; did you mean 'lr'?"),
    ("  epochs: 4", "  lr: 4", "7:3", "base.lr: unknown field; did you mean 'optimizer.lr'?"),
    ("  epochs: 4", "  data.nme: kitti", "7:3",
     "base.data.nme: unknown field; did you mean 'name'?"),
    ("{tasks: [depth]}", "{task: [depth]}", "10:11",
     "arms.st-depth.set.task: unknown field; did you mean 'tasks'?"),
    ("    set: {tasks: [depth]}", "    sett: {}", "10:5",
     "arms.st-depth.sett: unknown field; did you mean 'set'?"),
    ("mode: min", "moed: min", "13:40", "objective.moed: unknown field; did you mean 'mode'?"),
    ("trials_per_arm", "trials_per_am", "15:3",
     "search.trials_per_am: unknown field; did you mean 'trials_per_arm'?"),
    ("low: 1e-5", "lwo: 1e-5", "17:33",
     "search.space.optimizer.lr.lwo: unknown field; did you mean 'low'?"),
    ("optimizer.lr:", "optimizer.rl:", "17:5",
     "search.space.optimizer.rl: unknown field; did you mean 'optimizer.lr'?"),
    ("when: {weighting.name", "when: {weighting.nam", "19:45",
     "search.space.weighting.temperature.when.weighting.nam: unknown field; "
     "did you mean 'weighting.name'?"),
    ("{weighting.name: dwa}}", "{weighting.name: dwaa}}", "19:61",
     "search.space.weighting.temperature.when.weighting.name: expected 'equal', 'fixed', "
     "'dwa', 'uncertainty', 'uncertainty-so', 'gls', 'rlw', 'famo', 'upgrad', 'pcgrad', 'cagrad', "
     "'imtl-g', 'aligned-mtl' or 'nash', found the text 'dwaa'; did you mean 'dwa'?"),
    ("{weighting.name: dwa}}", "{weighting.name: equal, tasks: [depth, instances]}}", "19:44",
     "search.space.weighting.temperature.when: no arm ever has weighting.name = equal, "
     "tasks = ['depth', 'instances']"),
    ("lr: 2e-4", "lr: fast", "6:9", "base.optimizer.lr: expected a number, found the text 'fast'"),
    ("lr: 2e-4", "lr: '1'", "6:9", "base.optimizer.lr: expected a number, found the text '1'"),
    ("lr: 2e-4", "lr: -1", "6:9", "base.optimizer.lr: expected more than 0, found -1"),
    ("lr: 2e-4", "lr: .inf", "6:9", "base.optimizer.lr: expected a finite number, found inf"),
    ("epochs: 4", "epochs: true", "7:11", "base.epochs: expected a whole number, found true"),
    ("epochs: 4", "epochs: 1.5", "7:11", "base.epochs: expected a whole number, found 1.5"),
    ("epochs: 4", "epochs: 4\n  epochs: 5", "8:3", "'epochs' is said twice, first in line 7"),
    ("epochs: 4", "data.name: kitti", "7:3",
     "'data.name' is said twice, first at space.yaml:4:10"),
    ("epochs: 4", "epochs: [4", "8:5", "no valid YAML: expected ',' or ']', but got ':'"),
    ("epochs: 4", "epochs: !!python/name:os.system", "7:11",
     "no valid YAML: could not determine a constructor for the tag "
     "'tag:yaml.org,2002:python/name:os.system'"),
    ("epochs: 4", "4: 4", "7:3", "expected a name before ':', found '4'; quote it if it is one"),
    ("study: example", "study: Example", "1:8",
     "study: expected lower-case letters, found the text 'Example'"),
    ("study: example", "study: 5", "1:8", "study: expected text, found 5"),
    ("  mt-dwa:", "  ../dwa:", "11:3",
     "arms.../dwa: expected up to 64 letters, digits, '-' and '_', with no '-' or '_' at the "
     "start, found the text '../dwa'"),
    ("low: 1,", "low: 5,", "19:7",
     "search.space.weighting.temperature: expected low < high, found 5 and 4"),
    ("low: 1e-5", "low: 0", "17:19",
     "search.space.optimizer.lr: a logarithmic scale needs low > 0, found 0"),
    ("low: 1,", "low: 0,", "19:26",
     "search.space.weighting.temperature.low: expected more than 0, found 0.0 "
     "(as weighting.temperature of arm 'mt-dwa')"),
    ("low: 1e-5, high: 1e-3, log: true", "choices: [0.1, -1]", "17:19",
     "search.space.optimizer.lr: choices belong to a categorical parameter, not to float"),
    ("float, low: 1e-5, high: 1e-3, log: true", "categorical, choices: [0.1, -1]", "17:54",
     "search.space.optimizer.lr.choices.1: expected more than 0, found -1 "
     "(as optimizer.lr of arm 'st-depth')"),
    ("optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}",
     "epochs: {type: float, low: 1, high: 4}", "17:32",
     "search.space.epochs.low: expected a whole number, found 1.0 (as epochs of arm 'st-depth')"),
    ("optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}",
     "seed: {type: int, low: 1, high: 4}", "17:5",
     "search.space.seed: seeds are not searched; see confirm.seeds"),
    ("val/depth/abs_rel", "val/depth/absrel", "13:21",
     "objective.metric: arm 'st-depth' has no metric 'val/depth/absrel'; "
     "did you mean 'val/depth/abs_rel'?"),
    ("val/depth/abs_rel", "test/depth/abs_rel", "13:21",
     "objective.metric: expected a metric named val/..., as the search reads the validation split "
     "only; did you mean 'val/depth/abs_rel'?"),
    ("val/depth/abs_rel", "val/instances/ap50", "13:21",
     "objective.metric: arm 'st-depth' has no metric 'val/instances/ap50'; "
     "valid here: val/depth/a1, val/depth/a2, val/depth/a3, val/depth/abs_rel, "
     "val/depth/comoving/a1, val/depth/comoving/abs_rel, val/depth/comoving/hole_rate, "
     "val/depth/comoving/num_images, and 23 more"),
    ("mode: min", "mode: max", "13:46",
     "objective.mode: expected min for val/depth/abs_rel, found max"),
    ("baseline: st-depth", "baseline: st_depth", "23:13",
     "compare.baseline: no arm 'st_depth'; did you mean 'st-depth'?"),
    ("- test/depth/abs_rel", "- test/depth/a9", "25:7",
     "compare.metrics.0: no arm has a metric 'test/depth/a9'; did you mean 'test/depth/a3'?"),
    ("- test/depth/abs_rel", "- val/depth/a1", "25:7",
     "compare.metrics.0: expected a metric named test/..., as arms are compared on the test split; "
     "did you mean 'test/depth/a1'?"),
    ("baseline: st-depth", "baseline: st-depth\n  test: t", "24:9",
     "compare.test: expected 'permutation' or 'wilcoxon', found the text 't'"),
    ("seeds: [1, 2]", "seeds: [1, 1]", "21:10", "confirm: expected each seed once, found [1, 1]"),
    ("seeds: [1, 2]", "seeds: [0]", "21:18",
     "confirm.seeds: 0 is the seed of the search (base.seed); confirm with seeds it never saw"),
    ("set: {tasks: [depth]}", "set: {tasks: [depth], seed: 3}", "10:27",
     "arms.st-depth.set.seed: the same seed in every arm makes a pair; set base.seed or "
     "confirm.seeds"),
    ("low: 1, high: 4,", "low: 0, high: 1, step: 1e-300,", "19:7",
     "search.space.weighting.temperature: expected at most 2**53 steps, found more of 1e-300"),
    ("low: 1, high: 4,", "low: -1e308, high: 1e308,", "19:7",
     "search.space.weighting.temperature: expected a range that can be told as a number, found a "
     "wider one"),
    ("optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}",
     "batch_size: {type: int, low: 1, high: 1e300}", "17:17",
     "search.space.batch_size: low, high and step of an int parameter must be whole numbers, of at "
     "most 2**53"),
    ("optimizer.lr: {type: float, low: 1e-5, high: 1e-3, log: true}",
     "batch_size: {type: int, low: 1}", "17:17",
     "search.space.batch_size: an int parameter needs low and high"),
    ("seeds: [1, 2]", "seeds: [1, 9223372036854775808]", "21:22",
     "confirm.seeds.1: expected at most 9.22337e+18, found 9223372036854775808"),
    ("confirm: {seeds: [1, 2]}", "confirm:", "21:9",
     "confirm: expected fields of its own, found nothing"),
    (EXAMPLE, "", "1:1", "expected fields such as `study: name`, found an empty file"),
    (EXAMPLE, "[1, 2]", "1:1", "expected fields such as `study: name`, found a list"),
    (EXAMPLE, "study: x\n", "1:1", "question: missing; it has no default"),
    ("study: example", "study: a\x07b", "1:9",
     "no valid YAML: the character '\\x07' is not allowed"),
    ("study: example", "study: " + "[" * 3000, "1:1",
     "nested too deeply, or an alias that holds itself"),
    ("study: example", "study: &x [*x]", "1:1",
     "nested too deeply, or an alias that holds itself"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "problem"), MISTAKES)
def test_mistakes_end_with_one_line_that_names_the_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    place: str,
    problem: str,
) -> None:
    assert old in EXAMPLE
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, EXAMPLE.replace(old, new, 1))
    assert error_of(path) == f"space.yaml:{place}: {problem}"


WRONG_SETS = [
    ("base.optimizer.lrr=1", "base.optimizer.lrr: unknown field; did you mean 'lr'?"),
    ("base.optimizer.lr=x", "base.optimizer.lr: expected a number, found the text 'x'"),
    ("base.optimizer=1", "base.optimizer: expected fields of its own, found 1"),
    ("base.epochs.x=1", "base.epochs is 4, and has no fields"),
    ("search.trials=1", "search.trials: unknown field; did you mean 'trials_per_arm'?"),
    ("arms.st-dept.set.epochs=1", "there is no 'st-dept' in arms: st-depth, mt-dwa"),
    ("arms.st-dept=null", "there is no 'st-dept' to take out of arms"),
    ("search.space.depth.sim.low=1", "there is no 'depth.sim' in search.space: optimizer.lr, "
     "weighting.temperature"),
    ("search.space.depth.ssim={type: float, low: 0, high: 2}",
     "search.space.depth.ssim.high: expected at most 1, found 2.0 "
     "(as depth.ssim of arm 'st-depth')"),
    ("base.epochs=[1", "no valid YAML: expected ',' or ']', but got '<stream end>'"),
    ("base.epochs", "expected a dotted field, '=' and a value, such as base.epochs=2"),
    ("base..epochs=1", "expected a dotted field, '=' and a value, such as base.epochs=2"),
]  # fmt: skip


@pytest.mark.parametrize(("argument", "problem"), WRONG_SETS)
def test_mistakes_of_set_name_the_argument(tmp_path: Path, argument: str, problem: str) -> None:
    assert error_of(write(tmp_path, EXAMPLE), argument) == f"--set {argument}: {problem}"


def test_set_reaches_every_field(tmp_path: Path) -> None:
    space = load_space(
        write(tmp_path, EXAMPLE),
        [
            "base.optimizer.lr=1e-3",
            "base.depth.min_m=1",
            "arms.mt-dwa.set.weighting.temperature=3",
            "arms.mt-dwa.objective={metric: val/depth/a1, mode: max}",
            "search.space.optimizer.lr.low=1e-4",
            "search.space.weighting.temperature=null",
            "search.space.depth.ssim={type: float, low: 0, high: 1}",
            "search.space.depth.ssim.when.weighting.name=[dwa, equal]",
            "resources.gpus=0.5",
            "confirm.seeds=[4, 5, 6]",
            "question=a=b",
        ],
    )
    assert space.base["optimizer"]["lr"] == 1e-3
    assert space.base["depth"] == {"min_m": 1}
    assert space.arms["mt-dwa"].set["weighting"] == {"name": "dwa", "temperature": 3}
    assert space.objective_of("mt-dwa").mode == "max"
    assert space.search
    assert list(space.search.space) == ["optimizer.lr", "depth.ssim"]
    assert space.search.space["optimizer.lr"].low == 1e-4
    assert space.search.space["depth.ssim"].when == {"weighting.name": ["dwa", "equal"]}
    assert space.resources.gpus == 0.5
    assert space.confirm.seeds == (4, 5, 6)
    assert space.question == "a=b"


def test_data_can_be_mixed_by_a_file_and_by_set(tmp_path: Path) -> None:
    mix = "{name: kitti, root: /somewhere}"
    asked = EXAMPLE.replace("{name: driveworld}", f"{{name: driveworld, mix: [{mix}]}}")
    space = load_space(write(tmp_path, asked))
    assert settings_of(space, "mt-dwa").data.mix[0].name == "kitti"  # type: ignore[union-attr]
    assert load_space(write(tmp_path, EXAMPLE), [f"base.data.mix=[{mix}]"]) == space


def test_set_makes_and_removes_whole_entries(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE)
    space = load_space(path, ["arms.new={set: {tasks: [instances, depth]}}", "search=null"])
    assert list(space.arms) == ["st-depth", "mt-dwa", "new"]
    again = load_space(path, ["search=null", "search.trials_per_arm=2", "arms.mt-dwa=null"])
    assert list(again.arms) == ["st-depth"]
    assert again.search
    assert again.search.trials_per_arm == 2


def test_mistake_in_the_file_keeps_its_place_beside_set(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE.replace("2e-4", "fast"))
    assert ":6:9: " in error_of(path, "base.epochs=2")
    assert load_space(path, ["base.optimizer.lr=1e-4"]).base["optimizer"] == {"lr": 1e-4}


def test_an_arm_cannot_search_what_it_sets(tmp_path: Path) -> None:
    message = error_of(write(tmp_path, EXAMPLE), "arms.mt-dwa.set.optimizer.lr=1e-4")
    assert message.endswith("arm 'mt-dwa' sets this field itself, so it cannot be searched there")


def test_without_search_and_seeds_nothing_would_run(tmp_path: Path) -> None:
    message = error_of(write(tmp_path, EXAMPLE), "search=null", "confirm.seeds=[]")
    assert message.endswith("confirm.seeds: with no search and no seeds, nothing is run")


def test_endless_and_huge_grids_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, EXAMPLE)
    grid = "search.sampler.name=grid"
    assert "needs a step for the float parameter 'optimizer.lr'" in error_of(path, grid)
    huge = "search.space={batch_size: {type: int, low: 1, high: 1000000000}}"
    assert "at most 100000 points, found 1e+09" in error_of(path, grid, huge)


def test_relative_paths_are_of_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "splits").mkdir()
    settings = ["base.data.root=kitti", "base.data.split=splits", "base.encoder.weights=none"]
    space = load_space(write(tmp_path, EXAMPLE), settings)
    data = space.base["data"]
    assert (data["root"], data["split"]) == (str(tmp_path / "kitti"), str(tmp_path / "splits"))
    assert space.base["encoder"]["weights"] == "none"


def test_all_weightings_compares_all_of_them() -> None:
    space = load_space("all_weightings.yaml")
    methods = get_args(WeightingConfig.model_fields["name"].annotation)
    assert set(space.arms) == {*methods, "st-depth", "st-instances"}
    for name in methods:
        assert space.arm_config(name)["weighting"]["name"] == name


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "nor among those that ship: all_weightings.yaml, attention.yaml, " in error_of(
        tmp_path / "nothing.yaml"
    )
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"study: caf\xe9")
    assert error_of(path).endswith("latin.yaml:1:1: not UTF-8 text (byte 10)")


junk = st.sampled_from(
    ["", "x", "0", "-1", "null", "[", "]", "{", "}", ":", "- ", "'", "&a ", "*a", "!!int ", "1e999",
     "true", "<<: ", "\t", "\n", "\n  ", "#", "dwa", "tasks", "val/x", "\u2028", "a.b", "~", "? "]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cuts=st.lists(st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 12), junk), min_size=1,
                  max_size=3)
)  # fmt: skip
def test_mutated_spaces_give_a_plan_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, str]]
) -> None:
    text = EXAMPLE
    for start, length, new in cuts:
        text = text[:start] + new + text[start + length :]
    path = write(tmp_path_factory.getbasetemp(), text)
    try:
        space = load_space(path)
    except ValueError as error:
        message = str(error)
        assert "\n" not in message
        assert ".yaml:" in message
    else:
        assert make_plan(space).num_trials > 0
