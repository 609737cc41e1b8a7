import pytest

from pygama.errors import SettingsError
from pygama.simulate import RunShape, benchmark_shape, demo_shape


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"digitizer": "SIS3316"}, "one of SIS3302, Gretina4M, not 'SIS3316'"),
        ({"n_samples": 2001}, "in steps of 4"),
        ({"n_samples": 70_000}, "not to '70000'"),
        ({"digitizer": "Gretina4M", "n_samples": 2000}, "2018 to 2018 samples"),
        ({"channels": (0, 8)}, "from 0 to 7"),
        ({"channels": ()}, "one or more"),
        ({"damaged": 1.5}, "damaged is a part"),
        ({"n_events": -1}, "0 events or more"),
        ({"seed": -1}, "seed is a whole number, 0 or more, not '-1'"),
        ({"rate_hz": 0.0}, "above 0"),
        ({"drift": (120.0, 30.0)}, "drift"),
        ({"channels": (1, 1)}, "different"),
        ({"cards": (8, 32)}, "cards are"),
    ],
)
def test_what_no_card_can_record_is_refused(settings, says):
    with pytest.raises(SettingsError, match=says):
        RunShape(**settings)


def test_places_go_card_by_card():
    shape = RunShape(cards=(8, 9), channels=(1, 4))
    assert shape.places == ((8, 1), (8, 4), (9, 1), (9, 4))


def test_the_benchmark_is_run_72_of_the_demo():
    shape = benchmark_shape()
    assert (shape.run_number, shape.n_events, shape.n_samples, shape.n_edge) == (72, 31_383, 32_000, 52)


def test_the_demo_fits_the_default_chain():
    shape = demo_shape()
    assert shape.pulse_at - shape.pulse_jitter > 500
    assert shape.pulse_at + 2 * 400 + 200 < shape.n_samples


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dead_time_s": -1.0}, "dead_time_s is 0 s or more"),
        ({"coincident": 1.5}, "coincident is a part"),
        ({"coincident": 0.1, "channels": (2,)}, "two channels or more"),
    ],
)
def test_dead_time_and_coincidences_that_cannot_be_are_refused(settings, words):
    with pytest.raises(SettingsError, match=words):
        RunShape(**settings)
