"""Tests whose wishes are counted when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pygama_gui.data.dragged import Indexes
from pygama_gui.machine.counting import Wishes


class Pool:
    """Does work when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Callable[[Any], None], Callable[[], None]]] = []

    def submit(
        self, work: Callable[[], Any], then: Callable[[Any], None], otherwise: Callable[[], None]
    ) -> None:
        self.waiting.append((work, then, otherwise))

    def finish(self) -> None:
        work, then, _ = self.waiting.pop(0)
        then(work())

    def fail(self) -> None:
        self.waiting.pop(0)[2]()


def wish(wishes: Wishes, owner: str, done: list[str], number: int = 0) -> None:
    wishes.work(owner, lambda _counter: f"{owner} {number}", done.append)


def test_a_view_that_wishes_again_takes_back_what_waits() -> None:
    pool, done = Pool(), []
    wishes = Wishes(pool.submit, Indexes())
    for number in range(3):
        wish(wishes, "a", done, number)
    pool.finish()
    pool.finish()
    assert done == ["a 0", "a 2"]
    assert wishes.is_idle


def test_the_view_under_the_hand_is_served_first_in_turn_with_the_others() -> None:
    pool, done = Pool(), []
    wishes = Wishes(pool.submit, Indexes())
    wishes.first = "spectrum"
    for owner in ("plane", "trends", "channels", "spectrum 1"):
        wish(wishes, owner, done)
    for number in range(1, 4):
        wish(wishes, "spectrum 1", done, number)
        pool.finish()
    assert done == ["plane 0", "spectrum 1 1", "trends 0"]
    pool.finish()
    pool.finish()
    assert done[3:] == ["spectrum 1 3", "channels 0"]


def test_what_goes_wrong_lets_the_others_go_on() -> None:
    pool, done = Pool(), []
    wishes = Wishes(pool.submit, Indexes())
    wish(wishes, "a", done)
    wish(wishes, "b", done)
    pool.fail()
    pool.finish()
    assert done == ["b 0"]
