"""Adds two processors to the chain: pulses that go down are turned up, and the end of a pulse is measured."""

import numpy as np

from pygama.processing.declare import Level, Span, Values, Waves, calculator, transform


@transform(wf_up="adc", replaces="waveform")
def turn_up(waveform: Waves, *, top: Level = 65535) -> Waves:
    """Turn waveforms over, so that pulses which go down go up.

    In ADC counts. Steps after this one read the result in place of the raw waveform.
    (n_rows, n_samples) in, the same shape out.

    Formula
    -------
    y[k] = top - x[k]

    Settings
    --------
    top : highest value that the digitizer gives

    Source: definition.
    """
    return top - waveform.astype(np.float64)


@calculator(end_height="adc")
def end_height(wf_blsub: Waves, *, length: Span = 100) -> Values:
    """Average the end of each waveform.

    In ADC counts; NaN where a sample of the end is. (n_rows, n_samples) in, (n_rows,) out.

    Formula
    -------
    end_height = mean(x[n-length:n])

    Settings
    --------
    length : samples that are averaged

    Source: definition.
    """
    return wf_blsub[:, -length:].mean(axis=1)
