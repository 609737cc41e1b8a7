"""What a declaration says, and that all processors say it right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest

from pygama.errors import SettingsError
from pygama.processing.declare import (
    REGISTRY,
    Gap,
    Limits,
    PeriodNs,
    Processor,
    Sample,
    Setting,
    Span,
    Switch,
    TimeConstant,
    Values,
    Waves,
    read_processor,
    settings_about,
    settings_of,
)
from pygama.processing.steps import processor_named

RISE = Setting("rise", int, 400, "samples", low=1)
TAU = Setting("tau", float, 5000.0, "samples", low=1e-3)
ORDER = Setting("order", int, 1, low=0, high=8)
WINDOW = Setting("window", str, "", choices=("", "max", "tp"))


def made_up(waveform: Waves, energy: Values, period: PeriodNs, *, width: Span = 4, shift: Gap = 0) -> Values:
    """Do nothing much.

    Settings
    --------
    width : length of the thing,
        in two lines
    shift : how far it lies
    """
    return energy


def read(**keywords: object) -> Processor:
    return read_processor(made_up, {"size": "adc"}, waves=False, renamed={"w": "width"}, ignored=("dt",))


def test_positional_parameters_are_what_is_read():
    assert read().reads == (("waveform", "waves"), ("energy", "values"), ("period", "period"))


def test_keyword_parameters_are_what_may_be_set():
    names = [(item.name, item.type, item.default, item.unit, item.low) for item in read().settings]
    assert names == [("width", int, 4, "samples", 1), ("shift", int, 0, "samples", 0)]


def test_the_docstring_says_what_a_setting_is():
    assert [item.about for item in read().settings] == [
        "length of the thing, in two lines",
        "how far it lies",
    ]


def test_the_first_line_of_the_docstring_is_the_summary():
    assert read().summary == "Do nothing much."


def test_old_names_of_settings_are_accepted():
    assert read().check({"w": 7}) == {"width": 7, "shift": 0}


def test_old_settings_without_effect_are_passed_over():
    assert read().check({"dt": 7}) == {"width": 4, "shift": 0}


def test_an_unknown_setting_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match="^made_up has no setting 'wdith'; it has width, shift$"):
        read().check({"wdith": 7})


def test_a_setting_without_a_default_cannot_be_declared():
    def bad(waveform: Waves, *, width: Span) -> Values: ...

    with pytest.raises(TypeError, match="width: a setting needs a default"):
        read_processor(bad, {"x": ""}, waves=False, renamed={}, ignored=())


def test_a_parameter_of_no_known_kind_cannot_be_declared():
    def bad(waveform: np.ndarray) -> Values: ...

    with pytest.raises(TypeError, match="waveform: its type must be one of pygama.processing.declare, Waves"):
        read_processor(bad, {"x": ""}, waves=False, renamed={}, ignored=())


@pytest.mark.parametrize(
    ("setting", "typed", "value"),
    [
        (RISE, "400", 400),
        (RISE, " 400 samples ", 400),
        (RISE, "4 us", 400),
        (RISE, "4,0us", 400),
        (RISE, "0.004 ms", 400),
        (RISE, 400.0, 400),
        (RISE, np.int32(400), 400),
        (TAU, "50 us", 5000.0),
        (TAU, "1,5", 1.5),
        (ORDER, "2", 2),
    ],
)
def test_a_value_is_read_as_a_person_types_it(setting, typed, value):
    checked = setting.check(typed, period_ns=10.0)
    assert (checked, type(checked)) == (value, setting.type)


def test_a_time_is_kept_as_text_until_the_sampling_period_is_known():
    assert RISE.check(" 4 us ") == "4 us"


@pytest.mark.parametrize("text", ["-4 us", "0 us", "1e400 us"])
def test_a_time_that_no_period_makes_right_is_refused_before_one_is_known(text):
    with pytest.raises(SettingsError, match=f"^rise must be .*, not '{text}'$"):
        RISE.check(text)


def test_a_time_of_so_many_samples_that_no_number_holds_them_is_refused():
    with pytest.raises(
        SettingsError, match="^rise must be a whole number of samples, 1 or more, not '1e300 s'$"
    ):
        RISE.check("1e300 s", period_ns=1e-9)


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        (RISE, 0, "rise must be 1 sample or more, not 0"),
        (RISE, "0", "rise must be 1 sample or more, not '0'"),
        (RISE, "1 ns", "rise must be 1 sample or more, not '1 ns'"),
        (RISE, 1.5, "rise must be a whole number of samples, 1 or more, not 1.5"),
        (RISE, "1e400 us", "rise must be a whole number of samples, 1 or more, not '1e400 us'"),
        (RISE, "1e308 s", "rise must be a whole number of samples, 1 or more, not '1e308 s'"),
        (RISE, "wide", "rise must be a whole number of samples, 1 or more, not 'wide'"),
        (RISE, True, "rise must be a whole number of samples, 1 or more, not True"),
        (RISE, None, "rise must be a whole number of samples, 1 or more, not empty"),
        (RISE, float("nan"), "rise must be a whole number of samples, 1 or more, not nan"),
        (RISE, [400], "rise must be a whole number of samples, 1 or more, not [400]"),
        (TAU, 0, "tau must be 0.001 samples or more, not 0"),
        (TAU, 10**400, f"tau must be a number of samples, 0.001 or more, not {10**400}"),
        (ORDER, 9, "order must be from 0 to 8, not 9"),
        (WINDOW, "min", "window must be one of '', 'max', 'tp', not 'min'"),
        (Setting("save", bool, False), 1, "save must be true or false, not 1"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_words(setting, value, text):
    with pytest.raises(SettingsError) as caught:
        setting.check(value, period_ns=10.0)
    assert str(caught.value) == text


@pytest.mark.parametrize("period_ns", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_with_an_unknown_sampling_period_is_refused(period_ns):
    with pytest.raises(SettingsError, match="^rise is '4 us', but the sampling period is unknown"):
        RISE.check("4 us", period_ns)


def test_an_optional_setting_may_be_empty():
    setting = Setting("n", int, None, optional=True)
    assert setting.check(None) is None
    assert setting.check("  ") is None


def test_the_fields_of_a_dataclass_are_options():
    @dataclass
    class Options:
        """Choose.

        Settings
        --------
        n_samp : length of the window
        """

        n_samp: Annotated[int | None, Limits("samples", low=2)] | None = None
        is_fast: Switch = False

    first, second = settings_of(Options)
    assert (first.name, first.optional, first.about) == ("n_samp", True, "length of the window")
    assert (second.name, second.type, second.default) == ("is_fast", bool, False)


def test_a_docstring_without_settings_says_nothing_of_them():
    assert settings_about("Do it.\n\nNote : this is not a setting.") == {}


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_the_docstring_of_a_processor_names_its_settings_in_their_order(processor):
    assert list(settings_about(processor.help)) == [item.name for item in processor.settings]


WORDS = {
    "adc": "ADC counts",
    "adc/sample": "ADC counts a sample",
    "adc^2/MHz": "squared ADC counts a MHz",
    "ns": "in ns",
    "keV": "in keV",
    "samples": "samples",
    "1/sample": "1/sample",
    "": "",
}


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_the_docstring_of_a_processor_gives_shapes_and_units(processor):
    said = " ".join(processor.help.split())
    assert processor.summary.endswith(".")
    assert ("(n_rows, n_samples)" if "waves" in dict(processor.reads).values() else "(n_rows,)") in said
    assert all(WORDS[unit].lower() in said.lower() for _, unit in processor.writes)


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_old_names_of_a_processor_lead_to_settings_that_it_has(processor):
    names = {item.name for item in processor.settings}
    assert set(processor.renamed.values()) <= names
    assert not names.intersection([*processor.renamed, *processor.ignored, "test"])


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_the_defaults_of_a_processor_are_within_their_own_bounds(processor):
    for item in processor.settings:
        assert item.check(item.default) == item.default


CHANNELS = [{"crate": 1, "card": 1, "channel": 1, "value": 5, "energy": [0.5, 2]}]


@pytest.fixture
def needed(tmp_path):
    """Give the settings without which a processor cannot do anything."""
    table = tmp_path / "channels.json"
    table.write_text(json.dumps(CHANNELS))
    return {name: {"table": str(table)} for name in ("lookup", "calibrate")}


def call(processor, made, settings):
    arrays = [made.get(name, made.get(kind)) for name, kind in processor.reads]
    given = processor.function(*arrays, **settings.get(processor.name, {}))
    return given if isinstance(given, tuple) else (given,)


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
@pytest.mark.parametrize("sample_type", ["u2", "i2", "f4", "f8"])
def test_a_processor_gives_what_it_declares_for_made_up_waves(processor, sample_type, needed):
    n_rows, n_samples = 3, 1200
    after = np.arange(n_samples) - np.array([[700], [950]])
    pulses = np.where(after >= 0, 1000 * np.exp(-np.maximum(after, 0) / 5000), 0.0).sum(axis=0)
    wave = np.tile(pulses, (n_rows, 1))
    made = {
        "waveform": (100 + wave).astype(sample_type),
        "waves": wave.astype(sample_type),
        "wf_current": np.diff(wave, prepend=0.0).astype(sample_type),
        "values": np.ones(n_rows),
        "period": 10.0,
    }
    given = call(processor, made, needed)
    assert len(given) == len(processor.writes)
    for array in given:
        assert array.shape[0] == n_rows
        assert array.ndim == (2 if processor.writes_waves else 1)
        assert array.shape == (n_rows, n_samples) or "the same shape out" not in " ".join(
            processor.help.split()
        )
        assert np.isfinite(array).all()
        assert array.dtype == np.float64 or not processor.writes_waves


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_a_processor_leaves_its_input_alone_and_treats_each_row_by_itself(processor, needed):
    rng = np.random.default_rng(3)
    made = {"waves": rng.normal(100, 5, (4, 1200)), "values": np.array([1.0, 2, 1, 0.5]), "period": 10.0}
    before = {name: np.copy(value) for name, value in made.items()}
    alone = {name: value if name == "period" else value[2:3] for name, value in made.items()}
    together, single = call(processor, made, needed), call(processor, alone, needed)
    for all_rows, one_row in zip(together, single, strict=True):
        assert np.array_equal(all_rows[2:3], one_row, equal_nan=True)
    assert all(np.array_equal(before[name], made[name]) for name in made)


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf, 1e308])
def test_a_strange_sample_or_value_gives_no_warning_and_no_harm_to_other_rows(processor, strange, needed):
    rng = np.random.default_rng(4)
    made = {"waves": rng.normal(100, 5, (3, 1200)), "values": np.ones(3), "period": 10.0}
    clean = call(processor, made, needed)
    made["waves"][1, [3, 250, 700]] = strange
    made["values"][1] = strange
    for given, expected in zip(call(processor, made, needed), clean, strict=True):
        assert np.array_equal(given[[0, 2]], expected[[0, 2]], equal_nan=True)


@pytest.mark.parametrize("processor", REGISTRY.values(), ids=REGISTRY)
def test_of_what_is_not_a_number_nothing_is_made(processor, needed):
    made = {"waves": np.full((1, 1200), np.nan), "values": np.full(1, np.nan), "period": 10.0}
    assert all(np.isnan(array).all() for array in call(processor, made, needed))


def test_a_wrong_name_of_a_processor_brings_the_near_ones():
    with pytest.raises(SettingsError, match="^there is no processor 'trap_fliter'; did you mean trap_filter"):
        processor_named("trap_fliter")


def test_a_position_may_be_the_first_sample_and_a_time_constant_may_not_be_zero():
    def plain(waveform: Waves, *, at: Sample = 0, tau: TimeConstant = 1.0) -> Values: ...

    at, tau = read_processor(plain, {"x": ""}, waves=False, renamed={}, ignored=()).settings
    assert at.check(0) == 0
    with pytest.raises(SettingsError):
        tau.check(0)
