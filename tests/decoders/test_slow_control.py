"""Voltages, currents and run records against examples worked out by hand."""

import numpy as np
import pytest

from pygama.decoders import ISegHV, MJDPreAmp, RunRecords


def test_a_preamplifier_record_gives_volts_and_enabled_inputs(header_with, packets_of):
    head = [0x00200014, 0x00000007, 0x5BB1638A, 0x000000FF, 0x00000000, 0x3F000000, 0x3F800000, 0x3FC00000]
    header = header_with()
    row = MJDPreAmp(header).decode(packets_of(header, [head + [0] * 12])).rows[0]
    assert [row[f"adc_{i}"] for i in range(4)] == [0.0, 0.5, 1.0, 1.5]
    assert [row[f"enabled_{i}"] for i in range(16)] == [1] * 8 + [0] * 8
    assert (row["device_id"], row["timestamp"], row["time_s"]) == (7, 0x5BB1638A, 10.0)


def test_a_high_voltage_record_gives_a_voltage_a_current_and_a_bit_for_each_channel(header_with, packets_of):
    record = [0x00240015, 0x00250081, 0x00000005, 0, 0x5BB1638A]
    record += [0x453B8000, 0x3089705F] * 8
    header = header_with()
    decoded = ISegHV(header).decode(packets_of(header, [record]))
    row = decoded.rows[0]
    assert (row["crate"], row["card"], row["polarity"]) == (2, 5, 1)
    assert row["voltage_7"] == 3000.0
    assert row["current_0"] == pytest.approx(1e-9)
    assert [row[f"enabled_{i}"] for i in range(8)] == [1, 0, 1, 0, 0, 0, 0, 0]
    assert decoded.group.tolist() == [8]


def test_readings_of_16_channels_are_written_and_read_back(header_with, packets_of):
    header = header_with()
    volts = np.arange(16, dtype=float)[None] * 100
    records = ISegHV(header).encode_readings({"crate": 1, "card": 2, "_on": [0xFFFF]}, volts, volts * 1e-9)
    row = ISegHV(header).decode(packets_of(header, list(records))).rows[0]
    assert [row[f"voltage_{i}"] for i in range(16)] == volts[0].tolist()
    assert row["enabled_15"] == 1


def test_run_records_are_told_apart_by_single_bits(header_with, packets_of):
    header = header_with()
    records = [
        [0x000C0004, 0x00000027, 0x00000048, 0x5BB16380],
        [0x000C0004, 0x00000008, 0x0000001E, 0x5BB1639E],
        [0x000C0004, 0x00010010, 0x00000048, 0x5BB16768],
        [0x000C0004, 0x00020020, 0x00000048, 0x5BB16768],
        [0x000C0004, 0x00000000, 0x00000048, 0x5BB17190],
    ]
    rows = RunRecords(header).decode(packets_of(header, records)).rows
    assert rows["is_start"].tolist() == [1, 0, 0, 0, 0]
    assert rows["is_heartbeat"].tolist() == [0, 1, 0, 0, 0]
    assert rows["is_subrun_end"].tolist() == [0, 0, 1, 0, 0]
    assert rows["is_stop"].tolist() == [0, 0, 0, 0, 1]
    assert rows["run_number"].tolist() == [72, -1, 72, 72, 72]
    assert rows["sub_run"].tolist() == [0, 0, 1, 2, 0]
    assert rows["time_s"].tolist() == [0.0, 30.0, 1000.0, 1000.0, 3600.0]


def test_a_signalling_nan_is_read_without_a_warning(header_with, packets_of):
    header = header_with()
    record = np.zeros((1, 20), np.uint32)
    record[0, 4] = 0x7F800001
    rows = MJDPreAmp(header).decode(packets_of(header, record)).rows
    assert np.isnan(rows["adc_0"]).tolist() == [True]
