"""Whether arms differ, and how far a few seeds can tell.

Values come as plain numbers by seed. Seeds whose value is missing, NaN or infinite are left out;
what is computed says how many were used. `docs/statistics.md` tells what is computed and why.
"""

from study.statistics.claims import Claim, decide
from study.statistics.corrections import holm
from study.statistics.effects import effect_size, hedges_correction
from study.statistics.gains import TaskValues, multi_task_gain, relative_gain
from study.statistics.hierarchical import image_interval, replicate_interval, seed_widening
from study.statistics.intervals import (
    NO_INTERVAL,
    Interval,
    bootstrap_interval,
    student_interval,
)
from study.statistics.over_images import image_difference
from study.statistics.samples import CONFIDENCE, LEVEL, NUM_DRAWS
from study.statistics.significance import (
    MAX_EXACT_PAIRS,
    TESTS,
    TestName,
    is_exact,
    p_value,
    pairs_needed,
    sign_flip_p,
    smallest_p,
    wilcoxon_p,
)
from study.statistics.summaries import Difference, Summary, paired_difference, summarise

__all__ = [
    "CONFIDENCE",
    "LEVEL",
    "MAX_EXACT_PAIRS",
    "NO_INTERVAL",
    "NUM_DRAWS",
    "TESTS",
    "Claim",
    "Difference",
    "Interval",
    "Summary",
    "TaskValues",
    "TestName",
    "bootstrap_interval",
    "decide",
    "effect_size",
    "hedges_correction",
    "holm",
    "image_difference",
    "image_interval",
    "is_exact",
    "multi_task_gain",
    "p_value",
    "paired_difference",
    "pairs_needed",
    "relative_gain",
    "replicate_interval",
    "seed_widening",
    "sign_flip_p",
    "smallest_p",
    "student_interval",
    "summarise",
    "wilcoxon_p",
]
