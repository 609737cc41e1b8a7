import subprocess
import sys
import threading

import pytest

from pygama.storage.hdf5 import heard, quiet, reason_of, tables, what_happened

CODE = """
import sys
{before}
from pygama.storage.hdf5 import tables
{after}
print("unittest" in sys.modules, "tables.tests" in sys.modules)
"""


def loaded(before: str = "", after: str = "") -> str:
    code = CODE.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_the_tests_of_pytables_are_not_loaded():
    assert loaded() == "False False"


@pytest.mark.parametrize(
    "use", ["tables.print_versions()", "import tables.tests.common; tables.tests.test_suite"]
)
def test_the_tests_of_pytables_are_there_for_those_who_ask(use):
    assert loaded(after=use) == "True True"


def test_a_pytables_that_is_there_already_is_left_as_it_is():
    before = "import tables; own = tables.test"
    assert loaded(before, "assert tables.test is own") == "True True"


ADVICE = tables.NaturalNameWarning


def advise():
    """Have PyTables warn, as over a name that is none of Python's."""
    tables.path.warnings.warn("not a name", ADVICE)


def test_advice_is_muted_in_one_thread_whatever_another_does():
    with quiet():
        other = threading.Thread(target=quiet().__enter__)
        other.start()
        other.join()
    with quiet():
        with quiet():
            pass
        advise()
    with pytest.warns(ADVICE):
        advise()


def test_a_thread_that_ends_to_be_quiet_does_not_wake_another():
    is_inside, may_end = threading.Event(), threading.Event()

    def work():
        with quiet():
            is_inside.set()
            may_end.wait()

    other = threading.Thread(target=work)
    other.start()
    is_inside.wait()
    with quiet():
        may_end.set()
        other.join()
        advise()


def test_only_advice_is_muted():
    with quiet(), pytest.warns(UserWarning, match="grave"):
        tables.path.warnings.warn("grave", UserWarning)


def test_what_is_warned_of_can_be_taken():
    with quiet(), heard() as kinds:
        advise()
    assert kinds == [ADVICE]


def test_the_compiled_parts_of_pytables_are_heard_too():
    assert "warn" in type(tables.hdf5extension.warnings).__dict__


def test_the_words_of_the_system_are_found_behind_the_first_line_of_what_hdf5_says():
    error = tables.HDF5ExtError("Problems writing chunk")
    said = "file write failed: time = now\n, errno = 28, error message = 'No space left on device', buf = 0"
    error.h5backtrace = [("H5D.c", 1, "H5Dwrite_chunk", "cannot"), ("H5FDsec2.c", 2, "H5FD_write", said)]
    assert reason_of(error) == "No space left on device"
    assert "its disk" in what_happened(error)
