"""Settings files: what is read, written and refused, and the schema."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jsonschema
import pytest

from pygama.errors import SettingsError
from pygama.processing.declare import REGISTRY, Limits, Span
from pygama.processing.settings import check_settings, read_settings, schema, write_settings

DEFAULT = [{"step": name} for name in ("fit_baseline", "bl_subtract", "trap_filter", "trap_max")]


@dataclass(frozen=True)
class Options:
    """Options of a first tier.

    Settings
    --------
    window : where to cut
    n_samp : length of the window
    """

    window: Annotated[str, Limits(choices=("none", "max"))] = "none"
    n_samp: Span = 2000
    digitizer: Annotated[str, Limits()] | None = None


def refused(settings: object, **keywords: type) -> str:
    with pytest.raises(SettingsError) as caught:
        check_settings(settings, name="settings.json", **keywords)
    return str(caught.value)


def test_what_was_written_is_read_again(tmp_path):
    chain = [{"step": "fit_baseline", "settings": {"i_end": 800}}, {"step": "avg_baseline", "enabled": False}]
    write_settings(tmp_path / "s.json", tier0={"window": "max"}, chain=chain)
    assert read_settings(tmp_path / "s.json", tier0=Options) == {"tier0": {"window": "max"}, "chain": chain}
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_a_file_may_have_only_one_of_the_two_parts(tmp_path):
    write_settings(tmp_path / "s.json", chain=[])
    assert read_settings(tmp_path / "s.json") == {"chain": []}


def test_a_wrong_value_names_file_step_setting_bound_and_value(tmp_path):
    path = tmp_path / "settings.json"
    chain = [*DEFAULT[:2], {"step": "trap_filter", "settings": {"rise": 0}}]
    path.write_text(json.dumps({"chain": chain}))
    with pytest.raises(SettingsError) as caught:
        read_settings(path)
    assert str(caught.value) == "settings.json: step 3, trap_filter: rise must be 1 sample or more, not 0"


def test_a_file_that_is_no_json_says_where(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"chain": [\n  {"step" "trap_max"}]}')
    with pytest.raises(SettingsError, match="^s.json: line 2, column 11: not JSON: Expecting ':' delimiter$"):
        read_settings(path)


def test_a_file_of_other_bytes_is_refused(tmp_path):
    path = tmp_path / "s.json"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SettingsError, match="^s.json: not a settings file: "):
        read_settings(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere.json: cannot be read: No such file or directory$"):
        read_settings(tmp_path / "nowhere.json")


def test_a_name_given_twice_is_refused(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"chain": [], "chain": []}')
    with pytest.raises(SettingsError, match="^s.json: 'chain' is given twice in the same braces$"):
        read_settings(path)


def test_a_wrong_entry_brings_the_near_one():
    assert refused({"chian": []}) == "settings.json: unknown entry 'chian'; did you mean chain?"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ([], 'a settings file must be like {"tier0": {}, "chain": []}, not []'),
        ({"chain": {}}, "chain must be a list of steps in brackets, not {}"),
        ({"tier0": []}, "tier0 must be names and values in braces, not []"),
        ({"chain": ["wide"]}, 'step 1: a step must be like {"step": "trap_filter"}, not \'wide\''),
        ({"chain": [{"step": "trap_max", "settings": []}]},
         "step 1, trap_max: settings must be names and values in braces, not []"),
        ({"chain": [{"step": "trap_max", "enabled": 1}]},
         "step 1, trap_max: enabled must be true or false, not 1"),
        ({"chain": [{"step": "trap_max", "settings": {"test": 1}}]},
         "step 1, trap_max: test must be true or false, not 1"),
        ({"chain": [{"step": "trap_max", "settings": {"rise": 1}}]},
         "step 1, trap_max: trap_max has no setting 'rise'; it has none"),
        ({"chain": [{"step": "trap_max", "outputs": {"trap_max": "a b"}}]},
         "step 1, trap_max: a name must be letters, digits and underscores, not 'a b'"),
        ({"chain": [{"step": "fit_baseline", "settings": {"order": 9}, "enabled": False}]},
         "step 1, fit_baseline: order must be from 0 to 8, not 9"),
    ],
)  # fmt: skip
def test_a_file_with_one_thing_wrong_says_which(settings, text):
    assert refused(settings) == f"settings.json: {text}"


def test_options_are_checked_where_they_are_declared():
    assert refused({"tier0": {"n_samp": 0}}, tier0=Options) == (
        "settings.json: tier0: n_samp must be 1 sample or more, not 0"
    )
    assert refused({"tier0": {"windw": "max"}}, tier0=Options) == (
        "settings.json: tier0: unknown option 'windw'; did you mean window?"
    )


def test_options_that_nobody_declares_are_taken_as_they_stand():
    assert check_settings({"tier0": {"x": [1]}}) == {"tier0": {"x": [1]}}


def test_the_schema_knows_every_processor_and_its_settings():
    steps = schema(tier0=Options)["properties"]["chain"]["items"]["oneOf"]
    known = {
        step["properties"]["step"]["const"]: step["properties"]["settings"]["properties"] for step in steps
    }
    assert list(known) == list(REGISTRY)
    assert list(known["trap_filter"]) == ["rise", "flat", "rt", "ft", "dt", "test"]
    assert known["fit_baseline"]["order"] == {
        "description": "order of the polynomial; 1 is a line",
        "default": 1,
        "minimum": 0,
        "maximum": 8,
        "type": "integer",
    }


def test_the_schema_allows_times_where_samples_are_meant():
    steps = schema()["properties"]["chain"]["items"]["oneOf"]
    settings = {step["properties"]["step"]["const"]: step["properties"]["settings"] for step in steps}
    rise = settings["trap_filter"]["properties"]["rise"]
    assert rise["type"] == ["integer", "string"]
    assert re.search(rise["pattern"], "4 us")
    assert not re.search(rise["pattern"], "four")


def test_the_schema_and_the_check_take_times_for_lengths_of_the_first_tier():
    n_samp = schema(tier0=Options)["properties"]["tier0"]["properties"]["n_samp"]
    for text in ("2000 samples", "20 us"):
        assert re.search(n_samp["pattern"], text)
    assert not re.search(n_samp["pattern"], "20 m")
    assert check_settings({"tier0": {"n_samp": "20 us"}}, tier0=Options) == {"tier0": {"n_samp": "20 us"}}
    assert "n_samp must be a whole number" in refused({"tier0": {"n_samp": "20 m"}}, tier0=Options)


def test_the_schema_holds_the_options_of_the_first_tier():
    options = schema(tier0=Options)["properties"]["tier0"]
    assert options["properties"]["window"]["enum"] == ["none", "max"]
    assert options["properties"]["digitizer"]["type"] == ["string", "null"]
    assert options["additionalProperties"] is False


def test_the_schema_is_plain_json():
    made = schema(tier0=Options)
    assert json.loads(json.dumps(made)) == made


def test_the_schema_accepts_the_presets_and_refuses_what_the_check_refuses():
    validator = jsonschema.Draft202012Validator(schema())
    jsonschema.Draft202012Validator.check_schema(validator.schema)
    presets = sorted((Path(__file__).parents[2] / "resources" / "presets").glob("*.json"))
    assert presets
    for preset in presets:
        validator.validate(json.loads(preset.read_text()))
    by_channel = {"step": "trap_filter", "channels": {"0/5/2": {"rise": 100}, "7": {"rise": "4 us"}}}
    validator.validate({"chain": [by_channel], "plugins": ["mine.py"], "outputs": [], "save_waves": []})
    for wrong in (
        {"chain": [{"step": "trap_filter", "settings": {"rise": 0}}]},
        {"chain": [{"step": "trap_filtr"}]},
        {"chain": [{"step": "trap_filter", "channels": {"crate 0": {}}}]},
        {"chain": [{"step": "trap_filter", "channels": {"0": {"rise": 0}}}]},
        {"chain": [{"step": "trap_filter", "inputs": {"wf_blsub": "wf raw"}}]},
        {"chain": [{"step": "trap_max", "outputs": {"trap_max": "9_max"}}]},
        {"plugins": [7]},
        {"outputs": "trap_max"},
    ):
        assert not validator.is_valid(wrong), wrong
        assert refused(wrong)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"outputs": "trap_max"}, "outputs must be a list of names in brackets, not 'trap_max'"),
        ({"save_waves": [1]}, "save_waves must be a list of names in brackets, not [1]"),
        ({"plugins": "mine.py"}, "plugins must be a list of files in brackets, not 'mine.py'"),
        ({"plugins": [{"path": "x"}]}, "a plug-in must be like \"mine.py\", not {'path': 'x'}"),
    ],
)
def test_further_entries_with_one_thing_wrong_say_which(settings, text):
    assert refused(settings) == f"settings.json: {text}"


def test_a_file_may_name_its_schema_for_editors():
    assert check_settings({"$schema": "pygama.schema.json", "chain": []}) == {"chain": []}
    assert jsonschema.Draft202012Validator(schema()).is_valid({"$schema": "pygama.schema.json", "chain": []})
