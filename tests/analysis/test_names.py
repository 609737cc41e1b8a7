import pytest

import pygama.analysis


@pytest.mark.parametrize("name", pygama.analysis.__all__)
def test_what_is_offered_is_there_and_says_what_it_is(name):
    assert getattr(pygama.analysis, name).__doc__


def test_other_names_are_not_made_up():
    with pytest.raises(AttributeError, match="has no attribute 'fit_all'"):
        pygama.analysis.fit_all  # noqa: B018
