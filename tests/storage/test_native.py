"""What is asked of HDF5 itself."""

import ctypes

import pytest

from pygama.storage import native, opening


@pytest.fixture
def asked_anew():
    asked = [native.bears_threads, opening._tell_of_threads]
    for function in asked:
        function.cache_clear()
    yield
    for function in asked:
        function.cache_clear()


class _Library:
    """Stands for HDF5: says whether it bears threads."""

    def __init__(self, status, answer):
        self.status, self.answer = status, answer

    def H5is_library_threadsafe(self, place):  # noqa: N802  (HDF5's name)
        ctypes.cast(place, ctypes.POINTER(ctypes.c_bool))[0] = self.answer
        return self.status


@pytest.mark.parametrize(
    ("library", "bears"),
    [(_Library(0, False), False), (_Library(0, True), True), (_Library(-1, False), True), (None, True)],
)
def test_hdf5_is_asked_whether_it_bears_threads(library, bears, monkeypatch, asked_anew):
    monkeypatch.setattr(native, "functions", lambda _signatures: library)
    assert native.bears_threads() is bears


def test_the_hdf5_of_this_installation_bears_threads(asked_anew):
    assert native.bears_threads()


def test_an_hdf5_that_does_not_is_told_of_once(monkeypatch, asked_anew, caplog):
    monkeypatch.setattr(native, "bears_threads", lambda: False)
    for _ in range(2):
        opening._tell_of_threads()
    assert caplog.messages == [native.NO_THREADS]
