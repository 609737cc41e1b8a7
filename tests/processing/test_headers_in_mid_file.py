"""Runs whose header comes again with other ids, other cards, or another decoder's name."""

import numpy as np
import pytest

from pygama.decoders.sis3302 import SIS3302
from pygama.orca.header import Card, header_of
from pygama.orca.writer import RUN_DECODER, RunWriter, run_header
from pygama.processing.run import process_run
from pygama.progress import Note
from pygama.storage import TierFile

DECODER = "ORSIS3302DecoderForEnergy"
CHAIN_LENGTH = 600


def header_with(energy_key, mca_key, *cards, decoder=DECODER):
    types = {
        "ORRunModel": {"Run": (5, RUN_DECODER)},
        "ORSIS3302": {"Energy": (energy_key, decoder), "MCA": (mca_key, "ORSIS3302DecoderForMca")},
    }
    return run_header(run_number=72, start_time=0, record_types=types, cards=cards)


def write_events(run, key, card, n_rows, *, first=0):
    numbers = np.arange(first, first + n_rows)
    columns = {
        "crate": card.crate,
        "card": card.card,
        "channel": 0,
        "timestamp": numbers,
        "energy": numbers,
        "energy_first": 0,
    }
    waves = (1000 + numbers[:, None] + np.arange(CHAIN_LENGTH)).astype(np.uint16)
    loader = SIS3302(header_of(header_with(1, 2, card), 0))
    run.records(key, loader.encode_events(columns, waves))


A_CARD = Card("ORSIS3302Model", 0, 8, {"clockSource": 0})
ANOTHER = Card("ORSIS3302Model", 1, 4, {"clockSource": 1})


@pytest.fixture
def processed(tmp_path):
    """Process a file whose second header swaps two ids and brings a second card; gives (notes, tier 1)."""
    path = tmp_path / "Run72"
    with RunWriter(path, header_with(1, 2, A_CARD)) as run:
        write_events(run, 1, A_CARD, 20)
        run.header(header_with(2, 1, A_CARD, ANOTHER))
        write_events(run, 2, ANOTHER, 20, first=20)
        run.record(1, range(1030))
    told = []
    done = process_run(path, output_dir=tmp_path, tell=told.append)
    with TierFile(done.outputs[0]) as file:
        yield [message.text for message in told if isinstance(message, Note)], file


def test_records_are_decoded_by_the_ids_of_their_own_header(processed):
    _, tier1 = processed
    rows = tier1.table(DECODER).read().rows
    assert rows["energy"].tolist() == list(range(40))
    assert rows["period_ns"].tolist() == [10.0] * 20 + [20.0] * 20


def test_records_without_a_decoder_are_named_by_their_own_header(processed):
    notes, _ = processed
    assert notes == ["skipped 1 record of ORSIS3302DecoderForMca: there is no decoder for them yet"]


def test_cards_of_a_later_header_join_those_of_the_first(processed):
    _, tier1 = processed
    cards = tier1.table("ORSIS3302Model").read().rows
    assert cards[["Crate", "Card", "clockSource"]].tolist() == [(0, 8, 0), (1, 4, 1)]


def test_a_window_is_cut_whichever_name_of_the_decoder_is_used(tmp_path):
    old_name = "ORSIS3302Decoder"
    path = tmp_path / "Run72"
    with RunWriter(path, header_with(1, 2, A_CARD, decoder=old_name)) as run:
        write_events(run, 1, A_CARD, 5)
    tables = []
    for name in (old_name, DECODER):
        window = {"digitizer": name, "window": "max", "n_samp": 20}
        process_run(path, output_dir=tmp_path, tier0=window, decoders=[name], tiers=(1,))
        with TierFile(tmp_path / "t1_run72.h5") as file:
            tables.append(file.keys)
    assert tables == [(f"{DECODER}_Garbage", "ORSIS3302Model")] * 2
