"""Real runs: counts and lengths as published with them, and the lines of a source at the ratio of their
energies.
"""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from pygama.analysis.peaks import fit_peak
from pygama.block import Block
from pygama.processing.base import Tier1Processor
from pygama.processing.run import process_run
from pygama.processing.survey import survey
from pygama.processing.tier0 import ProcessTier0
from pygama.processing.tier1 import ProcessTier1
from pygama.storage import TierFile

FLASHCAM = "L200-comm-20220519-phy-geds.orca"
FCIO = "l200-p13-r007-aph-20250101T003931Z.orca"
THORIUM = "2018-9-25-Th228Run9001"


def test_a_flashcam_run_of_2022_has_its_67_waveforms_of_6402_samples(real_run, tmp_path):
    process_run(real_run(FLASHCAM), output_dir=tmp_path)
    with TierFile(tmp_path / "t1_run1280.h5") as file:
        table = file.table("ORFlashCamADCWaveformDecoder")
        block = table.read()
    assert (table.n_rows, table.n_samples, block.waveforms.dtype) == (67, 6402, np.uint16)
    assert set(block.rows["channel"].tolist()) <= set(range(6))
    assert (block.rows["time_s"] >= 0).all()
    assert len(pd.read_hdf(tmp_path / "t2_run1280.h5")) == 67


def test_a_run_of_2025_is_counted_by_id_and_gives_no_empty_table(real_run, tmp_path):
    found = survey(real_run(FCIO))
    assert found.counts == {3: 3, 6: 1, 7: 1, 8: 497}
    assert (found.header.run_number, found.header.start_time) == (35300, 1735691971)
    done = process_run(real_run(FCIO), output_dir=tmp_path)
    assert [path.name for path in done.outputs] == ["t1_run35300.h5", "t2_run35300.h5"]
    assert len(pd.read_hdf(tmp_path / "t2_run35300.h5")) == 61
    with TierFile(tmp_path / "t1_run35300.h5") as file:
        rows = file.table("ORRunDecoderForRun").read().rows
        assert all(file.table(key).n_rows for key in file.keys)
    assert rows["is_stop"].tolist() == [0, 0, 1]
    assert rows["time_s"][-1] == 3600.0


@pytest.mark.parametrize("pole_zero", [False, True])
def test_the_thorium_lines_stand_in_the_ratio_of_their_energies(real_run, tmp_path, pole_zero):
    chain = Tier1Processor({"trap_filter": {"rise": 300, "flat": 150}, "pole_zero": {"tau": 5130}})
    for name in (
        "fit_baseline",
        "bl_subtract",
        *(["pole_zero"] if pole_zero else []),
        "trap_filter",
        "trap_max",
    ):
        chain.add(name)
    process_run(real_run(THORIUM), output_dir=tmp_path, processor=chain)
    trap_max = pd.read_hdf(tmp_path / "t2_run9001.h5")["trap_max"]
    low, high = (8945, 40142) if pole_zero else (8670, 38860)
    lines = [fit_peak(trap_max, around, around * 0.03) for around in (low, high)]
    assert all(line.converged for line in lines)
    assert lines[1].position / lines[0].position == pytest.approx(2614.511 / 583.187, rel=3e-3)


def test_waveforms_saved_in_float32_give_the_same_peaks(real_run, tmp_path):
    chain = Tier1Processor({"trap_filter": {"rise": 300, "flat": 150}, "pole_zero": {"tau": 5130}})
    for name in ("fit_baseline", "bl_subtract", "pole_zero", "trap_filter", "trap_max"):
        chain.add(name)
    t1_file = ProcessTier0(real_run(THORIUM), output_dir=tmp_path)
    with TierFile(ProcessTier1(t1_file, chain, out_dir=tmp_path, save_waves=["wf_trap", "wf_pz"])) as file:
        block = file.table("data").read()
    assert {array.dtype for array in block.traces.values()} == {np.dtype(np.float32)}
    again = Tier1Processor({"trap_filter": {"rise": 300, "flat": 150}})
    again.add("trap_filter", inputs={"wf_blsub": "wf_pz"}, outputs={"wf_trap": "wf_shaped"})
    again.add("trap_max", inputs={"wf_trap": "wf_shaped"}, outputs={"trap_max": "shaped_max"})
    again.add("trap_max", inputs={"wf_trap": "wf_trap"}, outputs={"trap_max": "saved_max"})
    found = again.run(Block("X", block.rows[["channel"]], None, block.traces))
    for around in (3662, 8945, 40142):
        true = fit_peak(block.rows["trap_max"], around, around * 0.03)
        assert true.converged
        for name in ("saved_max", "shaped_max"):
            single = fit_peak(found[name], around, around * 0.03)
            assert abs(single.position - true.position) < 0.01 * true.position_error, (name, around)
            assert abs(single.fwhm - true.fwhm) < 0.01 * true.fwhm_error, (name, around)


def test_the_command_line_tells_of_a_real_run_in_json(real_run):
    command = [sys.executable, "-m", "pygama", "info", str(real_run(THORIUM)), "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    counts = {record["decoder"]: record["count"] for record in told["records"]}
    assert (told["run_number"], counts["ORSIS3302DecoderForEnergy"]) == (9001, 1000)
