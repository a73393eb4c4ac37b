"""How a study went: what was searched and found, what it cost, and how the test was kept shut."""

from __future__ import annotations

import math
from collections.abc import Mapping

from study.budget import num_search_trials
from study.plan import describe
from study.report.numbers import duration, number
from study.report.settings import in_words
from study.results import Results, Row
from study.words import counted, trial_noun


def searched(results: Results) -> list[str]:
    """What each arm was searched over, and how."""
    search = results.space.search
    if search is None:
        return ["Nothing: each arm was taken as it is set.", *_inner(results)]
    lines = [describe(name, parameter) for name, parameter in search.space.items()]
    fewest = min(num_search_trials(results.space, arm) for arm in results.space.arms)
    up_to = "up to " if fewest < search.trials_per_arm else ""
    budget = f"{up_to}{counted(search.trials_per_arm, 'trial')} for each arm, proposed by "
    budget += search.sampler.name
    if search.enqueue:
        budget += f" after {counted(len(search.enqueue), 'point')} of search.enqueue"
    early = results.space.scheduler.name
    ending = "" if early == "none" else f", poor ones ended early by {early} within their own arm"
    return [*lines, budget + ending, *_inner(results)]


def _inner(results: Results) -> list[str]:
    """What was searched at the end of each training."""
    inner = results.space.inner_search
    if inner is None:
        return []
    searched = "; ".join(describe(name, parameter) for name, parameter in inner.space.items())
    return [
        f"{searched}: {counted(inner.trials, 'clustering')} at the end of each training that "
        f"learns instances, by {inner.objective.metric}"
    ]


def best_row(results: Results, arm: str, trial: Row) -> dict[str, str]:
    """The best settings that the search found for an arm."""
    chosen = {**trial["params"], **trial["tuned"]}
    params = in_words(chosen)
    return {
        "arm": arm,
        "metric": results.objectives[arm],
        "value": number(trial["objective"]),
        "params": params or "nothing to choose",
        "trial": str(trial["trial_key"]),
    }


def tuned(results: Results) -> list[dict[str, str]]:
    """The clustering that each final training chose for itself."""
    return [
        {
            "arm": str(trial["arm"]),
            "trial": str(trial["trial_key"]),
            "params": in_words(trial["tuned"]),
        }
        for trial in results.trials
        if trial["phase"] == results.final_phase and trial["tuned"]
    ]


def costs(results: Results) -> list[dict[str, str]]:
    """How each arm's trials ended, and how long they took."""
    rows = []
    for arm in results.space.arms:
        own = [trial for trial in results.trials if trial["arm"] == arm]
        counts = {
            status: str(sum(trial["status"] == status for trial in own))
            for status in ("completed", "pruned", "cut", "failed", "running")
        }
        seconds = sum(t["device_seconds"] for t in own if math.isfinite(t["device_seconds"]))
        epochs = sum(int(trial["epochs"]) for trial in own)
        rows.append({"arm": arm, **counts, "epochs": str(epochs), "time": duration(seconds)})
    return rows


def cut_off(results: Results) -> list[str]:
    """That the budget ended the study, where it did, and what that leaves undone."""
    told = results.manifest.get("cut_off")
    if not told:
        return []
    noun = trial_noun(results.space.kind)
    own = {arm: [t for t in results.trials if t["arm"] == arm] for arm in results.space.arms}
    num_cut = sum(t["status"] == "cut" for t in results.trials)
    during = {"search": "the search", "confirm": "the confirmation"}[told["phase"]]
    lines = [f"The budget ended this study during {during}: {told['limit']}."]
    if num_cut:
        lines.append(f"{counted(num_cut, noun)} ended sooner than set, in the midst of training.")
    if results.space.confirm.seeds and results.final_phase == "search":
        lines.append(
            "Not every arm was trained again with fresh seeds, so that the numbers are of the best "
            f"{noun} of each arm in the search, with one seed: they say nothing of how much a "
            "seed matters."
        )
    searched = {arm: sum(t["phase"] == "search" for t in ts) for arm, ts in own.items()}
    if len(set(searched.values())) > 1:
        lines.append(f"The search of the arms is of unequal length: {_by_arm(searched, noun)}.")
    done = [t["arm"] for t in results.trials if (t["phase"], t["status"]) == _CONFIRMED]
    seeds = {arm: done.count(arm) for arm in own}
    if results.final_phase == "confirm" and len(set(seeds.values())) > 1:
        lines.append(
            f"Arms have unequal numbers of seeds: {_by_arm(seeds, 'seed')}; differences are over "
            "the seeds that both arms have."
        )
    return lines


_CONFIRMED = ("confirm", "completed")


def _by_arm(counts: Mapping[str, int], noun: str) -> str:
    return ", ".join(f"{arm} {counted(num, noun)}" for arm, num in counts.items())


def failures(results: Results) -> list[dict[str, str]]:
    """Trainings that failed, and why."""
    return [
        {"trial": t["trial_key"], "arm": t["arm"], "reason": t["error"] or "no reason given"}
        for t in results.trials
        if t["status"] == "failed"
    ]


def how_test_was_shut(results: Results) -> list[str]:
    """When the test split was opened, and that nothing was chosen by it."""
    own = set(results.objectives.values())
    chosen = f"Settings were chosen by {', '.join(sorted(own))}, on the validation split"
    lines = [
        f"{chosen if results.space.search else 'Settings were not searched'}; numbers in "
        "the tables above are of the test split, which no choice has seen."
    ]
    if results.space.confirm.train_on != "train" and results.final_phase == "confirm":
        lines.append(
            "Confirmed models learned from the training and validation splits together, for all of "
            "their epochs; nothing was chosen after that."
        )
    opened = results.manifest.get("test_opened")
    if not opened:
        return [*lines, "The test split has not been opened."]
    noun = trial_noun(results.space.kind)
    final = "trained model" if results.space.kind == "training" else noun
    tested = [t for t in results.trials if any(m.startswith("test/") for m in t["metrics"])]
    ends = sorted(str(t["ended"]) for t in results.trials if t["ended"])
    lines.append(
        f"The test split was opened at {opened}, for {counted(len(tested), final)}; the "
        f"last {noun} ended at {ends[-1] if ends else 'an unknown time'}."
    )
    lines += [
        f"Beware: the study was extended at {extension['time']}, after the test split had been "
        f"opened ({'; '.join(extension['changes'])}). Whether to go on may have been decided by "
        "what the test split showed."
        for extension in results.manifest.get("extensions", [])
        if extension["test_opened"]
    ]
    for arm, trial in results.best.items():
        confirmed = [t for t in results.trials if (t["phase"], t["arm"]) == ("confirm", arm)]
        if confirmed and confirmed[0]["params"] != trial["params"]:
            lines.append(
                f"The search of {arm} went on after its confirmation and found better settings, "
                f"{trial['trial_key']}: what is compared is what was confirmed first."
            )
    late = [t for t in results.trials if t["started"] and str(t["started"]) > str(opened)]
    if late:
        lines.append(
            f"Beware: {counted(len(late), noun)} started after that: "
            f"{', '.join(str(t['trial_key']) for t in late)}."
        )
    return lines
