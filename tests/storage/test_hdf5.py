import subprocess
import sys

import pytest

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
