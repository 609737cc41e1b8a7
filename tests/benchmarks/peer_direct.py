"""Works out what the processors give a second time, in other ways: SciPy, NumPy's own fits, loops.

peer_direct.py arrays WAVEFORMS.npy OUT.npz      all values and waveforms
peer_direct.py numbers WAVEFORMS.npy OUT.json EVENT…   the values and some samples of each waveform

It shares no line with the library and runs in the peer's environment, which has SciPy. Filters that the
library runs as running sums are sums of products here (`numpy.convolve`), recursions go through
`scipy.signal.lfilter`, fits through `scipy.stats.linregress` and `numpy.polyfit`, spectra through
`scipy.signal.periodogram`, searches through loops. Settings are the library's defaults; the period is 10 ns.
"""

from __future__ import annotations

import json
import math
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import ndimage, signal, stats

PERIOD_NS = 10.0
I_END = 500
RISE, FLAT, SIGMA = 400, 200, 200
PARTS = (0.01, 0.10, 0.50, 0.90, 0.99)
MAD = 1.4826
SAMPLES = (0, 1, 5, 9, 10, 27, 57, 250, 399, 400, 599, 905, 912, 920, 1000, 1210, 1400, 1600, 1834, 1835)
SHORT_SAMPLES = (0, 1, 5, 9, 10, 27, 57, 249, 250)

Made = dict[str, object]


def made_of(wave: np.ndarray) -> Made:
    """Give all that the processors make of one waveform of whole numbers."""
    x = wave.astype(float)
    made: Made = {**baselines(x), **robust_line(x), **ends(wave), **spectra(x), **even(x)}
    k = np.arange(len(x))
    flat = made["wf_blsub"] = x - (made["bl_int"] + made["bl_slope"] * k)
    curve = np.polynomial.Polynomial.fit(k[:I_END], x[:I_END], 2)
    made["wf_blsub_polynomial"] = x - curve(k)
    made.update(filtered(flat))
    made["trap_max"] = max(made["wf_trap"].tolist())
    made.update(times(flat, made["wf_atrap"], made["wf_trap"]))
    made.update(shape(flat, made))
    return made


def baselines(x: np.ndarray) -> Made:
    stretch, k = x[:I_END], np.arange(I_END)
    line = stats.linregress(k, stretch)
    left = stretch - np.polyval(np.polyfit(k, stretch, 1), k)
    return {
        "bl_avg": math.fsum(stretch) / I_END,
        "bl_int": float(line.intercept),
        "bl_slope": float(line.slope),
        "bl_rms": math.sqrt(math.fsum(left**2) / (I_END - 2)),
    }


def robust_line(x: np.ndarray) -> Made:
    """Repeat the medians with scipy.stats.siegelslopes, then leave out what is far three times."""
    stretch, k = x[:I_END], np.arange(I_END, dtype=float)
    parts = [list(part) for part in np.array_split(k, 16)]
    means = [stretch[int(part[0]) : int(part[-1]) + 1].mean() for part in parts]
    slope, level = stats.siegelslopes(means, [np.mean(part) for part in parts], method="hierarchical")
    for _ in range(3):
        distance = np.abs(stretch - (level + slope * k))
        kept = distance <= max(3 * MAD * np.median(distance), 1.0)
        slope, level = np.polyfit(k[kept], stretch[kept], 1)
    return {"robust_int": float(level), "robust_slope": float(slope), "robust_kept": float(kept.mean())}


def ends(wave: np.ndarray) -> Made:
    low, high = int((wave == 0).sum()), int((wave == 65535).sum())
    return {"n_sat_low": low, "n_sat_high": high, "is_saturated": int(low + high > 0)}


def spectra(x: np.ndarray) -> Made:
    stretch = x[:I_END]
    hann = np.sin(np.pi * (np.arange(I_END) + 0.5) / I_END) ** 2
    found = {}
    for name, window in (("psd", "boxcar"), ("psd_hann", hann)):
        _, power = signal.periodogram(stretch, fs=1e3 / PERIOD_NS, window=window, detrend="constant")
        # The mean is taken before the taper, so a little is left at 0 MHz.
        found[name] = power
    return found


def even(x: np.ndarray) -> Made:
    """Read the waveform as if its samples from 1200 on were sums of four, divided by two."""
    start, rate, divisor = 1200, 4, 2
    later = np.arange(len(x) - start)
    place = np.concatenate([np.arange(start), start + rate * later + 1.5])
    mean = np.concatenate([x[:start], x[start:] * divisor / rate])
    return {"wf_resampled": np.interp(np.arange(len(x)), place, mean)}


def filtered(x: np.ndarray) -> Made:
    n = len(x)
    a, b = math.exp(-1 / 5000), math.exp(-1 / 500)
    c = b + 0.02 * (a - b)
    mean = np.full(RISE, 1 / RISE)
    trapezoid = np.concatenate([mean, np.zeros(FLAT), -mean])
    asymmetric = np.concatenate([np.full(10, 0.1), np.zeros(10), np.full(400, -1 / 400)])
    change = np.diff(x, prepend=0.0)
    charge = np.diff(x, prepend=x[0])
    slope = ndimage.correlate1d(x, [-0.5, 0.0, 0.5])
    slope[0], slope[-1] = x[1] - x[0], x[-1] - x[-2]
    return {
        "wf_pz": signal.lfilter([1, -a], [1, -1], x),
        "wf_double_pz": signal.lfilter([1, -(a + b), a * b], [1, -(1 + c), c], x),
        "wf_trap": np.convolve(x, trapezoid)[:n],
        "wf_atrap": np.convolve(x, asymmetric)[:n],
        "wf_avg": window(x, 10),
        "wf_avg_3": window(window(window(x, 10), 10), 10),
        "wf_sg": signal.savgol_filter(x, 21, 3, mode="interp"),
        "wf_deriv": slope,
        "wf_current": np.convolve(charge, np.full(10, 0.1))[:n],
        "wf_cusp": np.convolve(change, cusp(zero_area=False))[:n],
        "wf_zac": np.convolve(change, cusp(zero_area=True))[:n],
    }


def window(x: np.ndarray, length: int) -> np.ndarray:
    smooth = np.convolve(x, np.full(length, 1 / length))[: len(x)]
    for k in range(length - 1):
        smooth[k] = math.fsum(x[: k + 1]) / (k + 1)
    return smooth


def cusp(*, zero_area: bool) -> np.ndarray:
    """Give the answer to a step: flanks of the hyperbolic sine, less parabolas for no area."""
    length = 2 * RISE + FLAT
    u = np.minimum(np.minimum(np.arange(1, length + 1), RISE), length - 1 - np.arange(length)).astype(float)
    answer = np.sinh(u / SIGMA) / math.sinh(RISE / SIGMA)
    if zero_area:
        parabola = u * (RISE - u)
        answer = answer - parabola * math.fsum(answer) / math.fsum(parabola)
    return answer


def crossing(x: np.ndarray, level: float, before: int) -> float:
    """Walk back from a sample to one that is not above the level; give the place on the line after it."""
    for k in range(before - 1, -1, -1):
        if x[k] <= level:
            return k + (level - x[k]) / (x[k + 1] - x[k])
    return math.nan


def times(x: np.ndarray, fast: np.ndarray, trapezoid: np.ndarray) -> Made:
    heights = x.tolist()
    highest, lowest = max(heights), min(heights)
    top = heights.index(highest)
    made: Made = {"wf_max": highest, "tp_max": top * PERIOD_NS}
    made.update({"wf_min": lowest, "tp_min": heights.index(lowest) * PERIOD_NS})
    for part in PARTS:
        place = crossing(x, part * highest, top) if highest > 0 else math.nan
        made[f"tp_{round(100 * part):02}"] = place * PERIOD_NS
    quiet = fast[:I_END]
    threshold = math.fsum(quiet) / I_END + 5 * float(ndimage.standard_deviation(quiet))
    peak = fast.tolist().index(max(fast.tolist()))
    made["t0"] = (crossing(fast, threshold, peak) if fast[peak] > threshold else math.nan) * PERIOD_NS
    made["rise_time"] = made["tp_90"] - made["tp_10"]
    made["drift_time"] = made["tp_99"] - made["t0"]
    at = made["t0"] / PERIOD_NS + 560
    inside = at <= len(x) - 1
    made["trap_ftp"] = float(np.interp(at, np.arange(len(x)), trapezoid)) if inside else math.nan
    return made


def shape(x: np.ndarray, made: Made) -> Made:
    current = made["wf_current"]
    largest = max(current.tolist())
    ratio = largest / made["trap_max"] if made["trap_max"] > 0 else math.nan
    noise = float(ndimage.standard_deviation(x[:I_END]))
    return {
        "a_max": largest,
        "a_over_e": ratio,
        "noise_rms": noise,
        "tail_slope": tail(x, made["tp_99"]),
        **pulses(current),
    }


def tail(x: np.ndarray, tp_99: float) -> float:
    if math.isnan(tp_99):
        return math.nan
    begin, last = math.ceil(tp_99 / PERIOD_NS) + 200, len(x) - 100
    if begin + 100 > last:
        return math.nan
    return (math.fsum(x[last:]) - math.fsum(x[begin : begin + 100])) / 100 / (last - begin)


def pulses(current: np.ndarray) -> Made:
    spread = stats.median_abs_deviation(current)
    threshold = float(np.median(current)) + 6 * MAD * float(spread)
    begins, quiet = [], 10**9
    for k, height in enumerate(current.tolist()):
        if height > threshold:
            if quiet >= 100:
                begins.append(k)
            quiet = 0
        else:
            quiet += 1
    second = begins[1] * PERIOD_NS if len(begins) > 1 else math.nan
    return {"n_pulses": len(begins), "is_pile_up": int(len(begins) > 1), "tp_second": second}


def write_arrays(waves: Path, out: Path) -> None:
    rows = [made_of(wave) for wave in np.load(waves)]
    np.savez(out, **{name: np.array([row[name] for row in rows]) for name in rows[0]})


def write_numbers(waves: Path, out: Path, events: list[int]) -> None:
    rows = [made_of(wave) for wave in np.load(waves)[events]]
    numbers = {name: [sampled(row[name]) for row in rows] for name in rows[0]}
    made_with = f"peer_direct.py with scipy {version('scipy')}, numpy {version('numpy')}"
    lines = [
        f'  "made_with": {json.dumps(made_with)}',
        f'  "events": {json.dumps(events)}',
        f'  "samples": {json.dumps(SAMPLES)}',
        f'  "samples_of_spectra": {json.dumps(SHORT_SAMPLES)}',
        *(f'  "{name}": {json.dumps(values)}' for name, values in numbers.items()),
    ]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def sampled(value: object) -> object:
    """Give a number, null where there is none, or some samples of a waveform."""
    if isinstance(value, np.ndarray):
        places = SHORT_SAMPLES if len(value) <= I_END else SAMPLES
        return [float(f"{value[place]:.15g}") for place in places]
    return None if math.isnan(value) else float(f"{value:.16g}")


def main(command: str, waves: str, out: str, *events: str) -> None:
    if command == "arrays":
        write_arrays(Path(waves), Path(out))
    else:
        write_numbers(Path(waves), Path(out), [int(event) for event in events])


if __name__ == "__main__":
    main(*sys.argv[1:])
