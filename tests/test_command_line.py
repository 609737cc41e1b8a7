"""The command line: what it prints, how it ends, and what it leaves unimported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pygama.__main__ import build_parser, main
from pygama.commands import processing
from pygama.simulate import RunShape, write_run
from pygama.storage import TierFile


@pytest.fixture
def raw_run(tmp_path):
    return write_run(tmp_path / "Run5", RunShape(run_number=5, n_events=40, n_samples=2000, seed=3))


def test_info_names_the_run_and_counts_its_records(raw_run, capsys):
    assert main(["info", str(raw_run)]) == 0
    printed = capsys.readouterr().out
    assert "Run:      5" in printed
    assert "ORSIS3302DecoderForEnergy" in printed


def test_quick_info_counts_nothing(raw_run, capsys):
    assert main(["info", str(raw_run), "--json", "--quick"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["packets"] is None


def test_run_writes_both_tiers(raw_run, tmp_path):
    assert main(["run", str(raw_run), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "t1_run5.h5").exists()
    assert (tmp_path / "t2_run5.h5").exists()


def test_tier0_and_tier1_write_a_tier_each(raw_run, tmp_path, capsys):
    assert main(["tier0", str(raw_run), "-o", str(tmp_path), "--window", "max", "--n-samp", "1000"]) == 0
    assert main(["tier1", str(tmp_path / "t1_run5.h5"), "-o", str(tmp_path)]) == 0
    assert "   -- trap_max" in capsys.readouterr().out.splitlines()


def test_a_window_may_be_given_as_a_time(raw_run, tmp_path):
    for length, suffix in (("800", ".1"), ("8 us", ".2")):
        given = ["--window", "max", "--n-samp", length, "--suffix", suffix]
        assert main(["tier0", str(raw_run), "-o", str(tmp_path), *given]) == 0
    waves = []
    for suffix in (".1", ".2"):
        with TierFile(tmp_path / f"t1_run5{suffix}.h5") as file:
            waves.append(file.table("ORSIS3302DecoderForEnergy").read().waveforms)
    assert waves[0].shape[1] == 800
    np.testing.assert_array_equal(*waves)


@pytest.mark.parametrize("command", ["tier0", "run"])
def test_the_folder_of_the_output_is_made(raw_run, tmp_path, command):
    assert main([command, str(raw_run), "-o", str(tmp_path / "new" / "deeper")]) == 0
    assert (tmp_path / "new" / "deeper" / "t1_run5.h5").exists()
    t1 = tmp_path / "new" / "deeper" / "t1_run5.h5"
    assert main(["tier1", str(t1), "-o", str(tmp_path / "other")]) == 0
    assert (tmp_path / "other" / "t2_run5.h5").exists()


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_file_for_a_folder_is_told_so(raw_run, command, capsys):
    given = [str(raw_run)] if command == "run" else []
    assert main([command, *given, "-o", str(raw_run)]) == 1
    assert capsys.readouterr().err == f"pygama: the output folder '{raw_run}' is a file: choose another\n"


def test_a_settings_file_gives_window_and_chain(raw_run, tmp_path):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({
        "tier0": {"window": "max", "n_samp": 800},
        "chain": [{"step": "avg_baseline", "settings": {"i_end": 100}}],
    }))  # fmt: skip
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--settings", str(settings)]) == 0
    import pandas as pd

    frame = pd.read_hdf(tmp_path / "t2_run5.h5")
    assert "bl_avg" in frame
    assert "trap_max" not in frame


@pytest.mark.parametrize("command", ["tier0", "run"])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--n-samp", "100"], "--n-samp: whole waveforms are kept"),
        (["--digitizer", "ORSIS3302DecoderForEnergy"], "--digitizer: whole waveforms are kept"),
        (["--n-blsamp", "7"], "--n-blsamp is for --window tp, and the window is 'none'"),
        (["--n-blsamp", "7", "--window", "max"], "--n-blsamp is for --window tp, and the window is 'max'"),
        (["--n-max", "1.5"], "n_max must be a whole number of packets"),
    ],
)
def test_options_without_effect_are_refused(raw_run, tmp_path, capsys, command, given, told):
    assert main([command, str(raw_run), "-o", str(tmp_path), *given]) == 1
    assert capsys.readouterr().err.startswith(f"pygama: {told}")
    assert not list(tmp_path.glob("*.h5"))


def test_a_wrong_settings_file_is_refused_with_file_step_and_bound(raw_run, tmp_path, capsys):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"chain": [{"step": "trap_filter", "settings": {"rise": 0}}]}))
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--settings", str(settings)]) == 1
    told = capsys.readouterr().err
    assert "settings.json: step 1, trap_filter: rise must be" in told
    assert told.count("\n") == 1


def test_a_file_that_is_not_orca_data_is_an_error_in_one_sentence(tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and they are no raw run at all")
    assert main(["info", str(path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "notes.txt is not ORCA data" in told.err
    assert told.err.count("\n") == 1


def test_a_missing_file_is_an_error_in_one_sentence(capsys):
    assert main(["run", "nowhere"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_one_bad_file_does_not_keep_the_others_from_being_done(raw_run, tmp_path):
    bad = tmp_path / "bad"
    bad.write_bytes(b"")
    assert main(["run", str(bad), str(raw_run), "-o", str(tmp_path)]) == 1
    assert (tmp_path / "t2_run5.h5").exists()


def test_an_unknown_compression_names_the_choices(raw_run, tmp_path, capsys):
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--compression", "blosc:snappy"]) == 1
    assert "lz4" in capsys.readouterr().err


def names_of_commands(parser):
    return tuple(parser._subparsers._group_actions[0].choices)


def test_where_a_command_for_runs_is_named_only_those_are_described():
    assert names_of_commands(build_parser("tier1")) == processing.COMMANDS
    everything = names_of_commands(build_parser())
    assert set(everything) > {*processing.COMMANDS, "tune", "calibrate", "export", "about"}
    assert names_of_commands(build_parser("tune")) == names_of_commands(build_parser("turn")) == everything


def test_a_command_that_is_not_understood_ends_with_2(capsys):
    with pytest.raises(SystemExit) as end:
        main(["proces"])
    assert end.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_an_option_that_a_command_does_not_have_is_told_with_those_it_has(capsys):
    with pytest.raises(SystemExit) as end:
        main(["tier0", "run", "--overwrite"])
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "unrecognized arguments: --overwrite" in told
    assert "--output-dir" in told or "-o DIR" in told


def test_the_demo_prints_the_lines_beside_the_true_ones_and_draws_the_spectrum(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path), "--events", "3000"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("K-40"))
    true, fitted = row.split()[1:3]
    assert float(fitted) == pytest.approx(float(true), abs=2.0)
    assert (tmp_path / "demo_spectrum.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--events", "0"], "the made-up run has 100 events or more, so that lines can be found, not 0"),
        (["--events", "99"], "the made-up run has 100 events or more, so that lines can be found, not 99"),
        (["--seed", "-1"], "seed is a whole number, 0 or more, not '-1'"),
    ],
)
def test_a_demo_that_cannot_be_is_refused_before_a_file_is_made(tmp_path, capsys, given, told):
    assert main(["demo", "-o", str(tmp_path / "demo"), *given]) == 1
    assert capsys.readouterr().err == f"pygama: {told}\n"
    assert not (tmp_path / "demo").exists()


def test_the_smallest_demo_comes_to_its_end(tmp_path):
    assert main(["demo", "-o", str(tmp_path), "--events", "100"]) == 0


@pytest.mark.parametrize("command", [["info"], ["run", "-o", "."], ["tier0", "-o", "."]])
def test_processing_imports_neither_pandas_nor_qt_nor_matplotlib(raw_run, command):
    name, *options = command
    code = (
        "import sys; from pygama.__main__ import main; "
        f"status = main([{name!r}, {str(raw_run)!r}, *{options!r}]); "
        "heavy = [m for m in ('pandas', 'PyQt5', 'matplotlib', 'iminuit', 'scipy') if m in sys.modules]; "
        "sys.exit(status or (3 if heavy else 0))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def run_command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "pygama", *map(str, arguments)], **options)


def test_a_reader_that_goes_away_is_no_error_to_talk_about(raw_run, tmp_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end) as nobody:
        done = run_command("tier0", raw_run, "-o", tmp_path, stdout=nobody, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")
    assert not list(tmp_path.glob("t1*"))


def test_a_run_is_processed_without_a_console(raw_run, tmp_path):
    code = (
        "import sys; sys.stdout = sys.stderr = None; from pygama.__main__ import main; "
        f"sys.exit(main(['run', {str(raw_run)!r}, '-o', {str(tmp_path)!r}]))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert (tmp_path / "t2_run5.h5").exists()


def test_nothing_but_json_is_on_stdout_where_json_is_asked_for(raw_run):
    damaged = raw_run.read_bytes() + b"\0" * 7
    raw_run.write_bytes(damaged)
    done = run_command("info", raw_run, "--json", capture_output=True)
    assert json.loads(done.stdout)["problems"]
    assert done.stderr == b""


def test_a_raw_file_given_for_a_tier_1_file_is_told_so(raw_run, capsys):
    assert main(["tier1", str(raw_run)]) == 1
    assert "it is not HDF5; of a raw file, make its Tier 1 file first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tier0", "message"),
    [
        ({"window": "max", "n_samp": 7}, "tier0: n_samp must be an even number of samples, not 7"),
        (
            {"window": "max", "n_samp": "4 m"},
            "tier0: n_samp must be a whole number of samples, 2 or more, not '4 m'",
        ),
    ],
)
def test_a_window_that_cannot_be_cut_is_refused_with_the_name_of_the_file(
    raw_run, tmp_path, capsys, tier0, message
):
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"tier0": tier0}))
    assert main(["tier0", str(raw_run), "-o", str(tmp_path), "--settings", str(settings)]) == 1
    assert f"settings.json: {message}" in capsys.readouterr().err


PLUGIN = '''
from pygama.processing.declare import Values, Waves, calculator


@calculator(first="adc")
def first_sample_here(waveform: Waves) -> Values:
    """Take the first sample."""
    return waveform[:, 0].astype(float)
'''


def outcome(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "pygama", *map(str, arguments)], capture_output=True, text=True
    )


def test_a_plugin_runs_only_when_it_is_allowed(raw_run, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN)
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"plugins": ["mine.py"], "chain": [{"step": "first_sample_here"}]}))
    refused = outcome("run", raw_run, "-o", tmp_path, "--settings", settings)
    assert refused.returncode == 1
    assert "only runs when you say so: --allow-plugin" in refused.stderr
    allowed = outcome(
        "run", raw_run, "-o", tmp_path, "--settings", settings, "--allow-plugin", tmp_path / "mine.py"
    )
    assert allowed.returncode == 0
    assert (tmp_path / "t2_run5.h5").exists()


def test_a_plugin_without_a_chain_that_could_use_it_is_refused(raw_run, tmp_path, capsys):
    (tmp_path / "mine.py").write_text(PLUGIN)
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--allow-plugin", str(tmp_path / "mine.py")]) == 1
    assert "name the chain as well, with --settings FILE" in capsys.readouterr().err
    assert not (tmp_path / "t2_run5.h5").exists()


def test_the_settings_of_a_tier_2_file_are_printed_and_used(raw_run, tmp_path, capsys):
    chain = [{"step": "avg_baseline", "settings": {"i_end": 100}}]
    (tmp_path / "settings.json").write_text(json.dumps({"chain": chain}))
    main(["run", str(raw_run), "-o", str(tmp_path), "--settings", str(tmp_path / "settings.json")])
    capsys.readouterr()
    assert main(["settings", str(tmp_path / "t2_run5.h5")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["chain"] == chain
    assert told["tier0"]["window"] == "none"
    again = ["tier1", str(tmp_path / "t1_run5.h5"), "-o", str(tmp_path), "--suffix", ".2"]
    assert main([*again, "--settings", str(tmp_path / "t2_run5.h5")]) == 0
    assert "   -- bl_avg" in capsys.readouterr().out.splitlines()


def test_the_schema_is_printed_as_json(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Settings of pygama"


def test_a_profile_has_a_line_for_each_step(raw_run, tmp_path, capsys):
    main(["tier0", str(raw_run), "-o", str(tmp_path)])
    capsys.readouterr()
    saving = ["--save-waves", "wf_blsub", "wf_trap", "--profile"]
    assert main(["tier1", str(tmp_path / "t1_run5.h5"), "-o", str(tmp_path), *saving]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[next(place for place, line in enumerate(lines) if line.startswith("step ")) :]
    assert [line.split("  ")[0] for line in table[1:5]] == [
        "step 1, fit_baseline",
        "step 2, bl_subtract",
        "step 3, trap_filter",
        "step 4, trap_max",
    ]
    assert table[-1].startswith("all steps")


def test_one_pass_keeps_the_waveforms_asked_for(raw_run, tmp_path):
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--save-waves", "wf_trap"]) == 0
    with TierFile(tmp_path / "t2_run5.h5") as file:
        saved = file.table("data").read()
    assert saved.rows["trap_max"] == pytest.approx(saved.traces["wf_trap"].max(axis=1), rel=1e-6)


def test_only_the_outputs_asked_for_are_written(raw_run, tmp_path, capsys):
    main(["tier0", str(raw_run), "-o", str(tmp_path)])
    capsys.readouterr()
    assert main(["tier1", str(tmp_path / "t1_run5.h5"), "-o", str(tmp_path), "--outputs", "trap_max"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "   -- trap_max" in printed
    assert "   -- bl_int" not in printed


def test_a_record_can_be_left_out(raw_run, tmp_path):
    from pygama.orca.packets import RawFile

    with RawFile(raw_run) as raw:
        (digitizer,) = (
            key for key, name in raw.header.decoders.items() if name == "ORSIS3302DecoderForEnergy"
        )
        offset = next(int(packets.of([digitizer]).offset[5]) for packets in raw)
    assert main(["run", str(raw_run), "-o", str(tmp_path), "--skip", str(offset)]) == 0
    import pandas as pd

    assert len(pd.read_hdf(tmp_path / "t2_run5.h5")) == 39


def test_tune_finds_settings_and_writes_them_down(tmp_path, capsys):
    main(["demo", "-o", str(tmp_path), "--events", "4000"])
    capsys.readouterr()
    scan = ["--scan", "trap_filter.rise=50:400:50", "--line", "8477", "--width", "400"]
    saved = ["--save", str(tmp_path / "best.json")]
    assert main(["tune", str(tmp_path / "t1_run72.h5"), *scan, *saved]) == 0
    printed = capsys.readouterr().out
    assert " waveforms of ORSIS3302DecoderForEnergy, " in printed
    assert "Best: trap_filter.rise " in printed
    best = json.loads((tmp_path / "best.json").read_text())["chain"]
    rises = [step["settings"]["rise"] for step in best if step["step"] == "trap_filter"]
    assert rises[0] >= 200  # noise falls with the length of the averages


@pytest.fixture
def t1_of_demo(tmp_path, capsys):
    main(["demo", "-o", str(tmp_path), "--events", "1000"])
    capsys.readouterr()
    return tmp_path / "t1_run72.h5"


RISE = ["--scan", "trap_filter.rise=200,300", "--line", "8477", "--width", "400"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([*RISE, "--width", "0"], "the window of the line is wider than 0, not 0"),
        ([*RISE, "--width", "nan"], "the window of the line is wider than 0, not nan"),
        ([*RISE, "--scan", "trap_filter.rise=400"], "trap_filter.rise is scanned twice: give all its values"),
        ([*RISE, "--scan", "3.rise=400"], "trap_filter.rise and 3.rise are one setting: give all its values"),
        ([*RISE, "--sample", "0"], "a sample has 1 waveform or more, not 0"),
        ([*RISE, "--channel", "9"], "t1_run72.h5: no waveform of channel 9 in the sample"),
        ([*RISE, "--save", "nodir/x.json"], "x.json cannot be written to 'nodir': there is no such folder"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_the_scan(t1_of_demo, capsys, given, told):
    assert main(["tune", str(t1_of_demo), *given]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith(f"pygama: {told}")
    assert "Best: " not in printed.out


def test_tune_replaces_settings_files_alone(t1_of_demo, tmp_path, capsys):
    before = t1_of_demo.read_bytes()
    notes = tmp_path / "notes.json"
    notes.write_text('{"this": "is mine"}')
    for path in (t1_of_demo, notes):
        assert main(["tune", str(t1_of_demo), *RISE, "--save", str(path)]) == 1
        assert f"{path.name} is there already and is no settings file" in capsys.readouterr().err
    assert (t1_of_demo.read_bytes(), notes.read_text()) == (before, '{"this": "is mine"}')
    for _ in range(2):
        assert main(["tune", str(t1_of_demo), *RISE, "--save", str(tmp_path / "best.json")]) == 0


@pytest.fixture
def both_tiers(tmp_path):
    shape = RunShape(run_number=6, n_events=1500, n_samples=1600, pulse_at=600, rate_hz=20.0)
    raw = write_run(tmp_path / "Run6", shape)
    assert main(["run", str(raw), "-o", str(tmp_path)]) == 0
    return tmp_path / "t1_run6.h5", tmp_path / "t2_run6.h5"


def test_live_tells_pulser_and_times(both_tiers, capsys):
    t1, t2 = map(str, both_tiers)
    capsys.readouterr()
    assert main(["live", t2, "--tier1", t1]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("0/8/0: period 1 ± ")
    assert lines[3].startswith("run records: real ")
    assert sum("pulser: real" in line for line in lines) == 3


def test_live_says_what_is_missing(both_tiers, capsys):
    both_tiers[0].rename(both_tiers[0].with_name("elsewhere.h5"))
    capsys.readouterr()
    assert main(["live", str(both_tiers[1])]) == 0
    assert "give the Tier 1 file for the run records" in capsys.readouterr().out


def test_events_counts_coincidences(both_tiers, capsys):
    capsys.readouterr()
    assert main(["events", str(both_tiers[1]), "--window", "1e-6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "hits of 3 channels make" in lines[3]
    assert lines[6].startswith("  3 channels: ")
    assert "without; chance makes" in lines[7]


def test_a_window_that_is_none_is_told(both_tiers, capsys):
    assert main(["events", str(both_tiers[1]), "--window", "-1"]) == 1
    assert "a window is 0 s or longer" in capsys.readouterr().err


def blas_threads_after(code, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    code += "; import os; main(['about']); print(os.environ.get('OPENBLAS_NUM_THREADS', 'unset'))"
    return subprocess.check_output([sys.executable, "-c", code], env=kept | environment, text=True).split()[
        -1
    ]


def test_a_command_starts_no_threads_for_linear_algebra_unless_told_to():
    assert blas_threads_after("from pygama.__main__ import main") == "1"
    assert blas_threads_after("from pygama.__main__ import main", OPENBLAS_NUM_THREADS="3") == "3"


def test_a_command_inside_another_program_leaves_its_environment_alone():
    assert blas_threads_after("import numpy; from pygama.__main__ import main") == "unset"


@pytest.mark.parametrize("command", [["export"], ["spectrum", "-o"]])
def test_an_output_that_cannot_be_written_is_named_as_it_was_asked_for(both_tiers, capsys, command):
    capsys.readouterr()
    name, *option = command
    for output, why in (("nodir/x.csv", "No such file or directory"), ("file/x.csv", "Not a directory")):
        Path("file").touch()
        assert main([name, str(both_tiers[1]), *option, output]) == 1
        folder = str(Path(output).parent)
        assert capsys.readouterr().err == (
            f"pygama: x.csv cannot be written to '{folder}': {why}; "
            "choose a folder that exists and that you may write to\n"
        )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"chain": [{"step": "avg_baseline", "settings": {"i_end": 99_999}}]},
            "step 1, avg_baseline: i_end must be",
        ),
        ({"chain": [{"step": "trap_max"}]}, "step 1, trap_max, reads 'wf_trap'"),
        ({"outputs": ["trap_mix"]}, "outputs: the chain gives no column 'trap_mix'"),
    ],
)
@pytest.mark.parametrize("command", ["run", "tier1"])
def test_what_is_found_wrong_only_in_the_run_names_the_settings_file(
    raw_run, tmp_path, capsys, command, settings, told
):
    main(["tier0", str(raw_run), "-o", str(tmp_path)])
    settings_file = tmp_path / "mine.json"
    settings_file.write_text(json.dumps(settings))
    capsys.readouterr()
    source = raw_run if command == "run" else tmp_path / "t1_run5.h5"
    assert main([command, str(source), "-o", str(tmp_path), "--settings", str(settings_file)]) == 1
    assert f"mine.json: {told}" in capsys.readouterr().err


def test_tune_names_the_settings_file_whose_chain_does_not_fit_the_run(raw_run, tmp_path, capsys):
    main(["tier0", str(raw_run), "-o", str(tmp_path)])
    settings_file = tmp_path / "mine.json"
    settings_file.write_text('{"chain": [{"step": "avg_baseline", "settings": {"i_end": 99999}}]}')
    line = ["--line", "1000", "--column", "bl_avg", "--scan", "avg_baseline.i_end=10,20"]
    assert main(["tune", str(tmp_path / "t1_run5.h5"), *line, "--settings", str(settings_file)]) == 1
    assert "mine.json: step 1, avg_baseline: i_end must be" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["info", "info --quick", "run", "tier0", "settings", "drift"])
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path, command):
    """In a process of its own, since one that waits cannot be told from one that works."""
    os.mkfifo(tmp_path / "pipe")
    given = [*command.split(), *["pipe"] * (1 + (command == "drift"))]
    code = f"from pygama.__main__ import main; raise SystemExit(main({given}))"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "pipe" in ended.stderr
    assert "not a file on disk; save it to one first" in ended.stderr


def test_a_spectrum_has_a_bounded_number_of_bins(both_tiers, capsys):
    capsys.readouterr()
    words = ["spectrum", str(both_tiers[1]), "-o", "x.csv", "--bins", "1000000000"]
    assert main(words) == 1
    assert capsys.readouterr().err == "pygama: a histogram has 16777216 bins at most, not 1000000000\n"
