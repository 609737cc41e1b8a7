"""Says what each processor of the library is about, for pages and lists of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GROUPS: Mapping[str, Sequence[str]] = {
    "Baselines": ("avg_baseline", "fit_baseline", "robust_baseline", "baseline_rms"),
    "Subtraction and decay": ("bl_subtract", "bl_subtract_polynomial", "pole_zero", "double_pole_zero"),
    "Filters": (
        "trap_filter",
        "asym_trap_filter",
        "cusp_filter",
        "zac_filter",
        "moving_window",
        "savitzky_golay",
        "derivative",
        "current",
    ),
    "Heights and times": (
        "trap_max",
        "fixed_time_pickoff",
        "wf_max",
        "wf_min",
        "time_points",
        "t0",
        "rise_time",
        "drift_time",
    ),
    "Pulse shape": ("a_max", "a_over_e", "tail_slope"),
    "Noise and quality": ("noise_rms", "psd", "saturation", "count_pulses"),
    "Look-up": ("lookup", "calibrate"),
    "Resampling": ("resample_multisampled",),
}
"""All processors of the library, by what they are about."""
