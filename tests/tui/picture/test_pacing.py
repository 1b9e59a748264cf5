"""The pacer, with a clock that is turned by hand."""

import asyncio
import gc
from weakref import ref

from textual.app import App

from npe_tui.picture import pacing
from npe_tui.picture.pacing import ALLOWANCE, PATIENCE, Pacer, pacer_of


class Link:
    """A terminal that answers when told to."""

    def __init__(self):
        self.now, self.asked, self.woken = 0.0, 0, 0
        self.pacer = Pacer(self._ask, lambda: self.now)

    def _ask(self):
        self.asked += 1

    def wake(self):
        self.woken += 1

    def may_send(self):
        return self.pacer.may_send(self.wake)


def test_small_repaints_go_out_until_the_allowance_is_used():
    link, sent = Link(), 0
    while link.may_send():
        link.pacer.sent(2500)
        sent += 2500
    assert ALLOWANCE <= sent < ALLOWANCE + 2500
    assert link.asked == sent // 2500


def test_each_answer_makes_room_and_wakes_who_waits_once():
    link = Link()
    link.pacer.sent(ALLOWANCE)
    assert not link.may_send() and not link.may_send()
    link.pacer.answered()
    assert link.woken == 1 and link.may_send()
    link.pacer.answered()
    assert link.woken == 1


def test_one_large_repaint_at_a_time():
    link = Link()
    for _ in range(5):
        assert link.may_send()
        link.pacer.sent(200_000)
        assert not link.may_send()
        link.now += 1.6
        link.pacer.answered()


def test_a_terminal_that_never_answers_is_asked_no_more():
    link = Link()
    link.pacer.sent(ALLOWANCE)
    assert not link.may_send()
    link.now += PATIENCE + 0.1
    assert link.may_send()
    for _ in range(10):
        link.pacer.sent(ALLOWANCE)
        assert link.may_send()
    assert link.asked == 1


def test_an_answer_that_was_lost_holds_nothing_up_for_ever():
    link = Link()
    link.pacer.sent(100)
    link.pacer.answered()
    link.pacer.sent(ALLOWANCE)
    assert not link.may_send()
    link.now += PATIENCE + 0.1
    assert link.may_send()
    link.pacer.sent(ALLOWANCE)
    assert link.asked == 3 and not link.may_send(), "it answered before, so it is asked again"
    link.now += PATIENCE - 0.1
    link.pacer.answered()  # it may be the one that was lost
    link.now += 0.2
    assert link.may_send(), "but as no other follows, it was not"
    for _ in range(3):
        link.pacer.sent(ALLOWANCE)
        assert not link.may_send()
        link.now += 0.1
        link.pacer.answered()
        assert link.may_send(), "in step again"


def test_a_late_answer_pays_for_the_old_question_only():
    link = Link()
    link.pacer.sent(100)
    link.now += 0.1
    link.pacer.answered()
    link.pacer.sent(20_000)
    link.now += PATIENCE + 0.1
    assert link.may_send()
    link.pacer.sent(20_000)
    link.now += 1
    link.pacer.answered()
    assert not link.may_send(), "the second repaint is still on its way"
    link.now += 1
    link.pacer.answered()
    assert link.may_send()


def test_before_the_terminal_is_anothers_all_answers_are_heard(monkeypatch):
    monkeypatch.setattr(pacing, "LINGER", 600)
    link = Link()

    async def leave():
        link.pacer.sent(10)
        link.pacer.sent(10)
        leaving = asyncio.create_task(link.pacer.hear_out())
        for _ in range(2):
            for _ in range(5):
                await asyncio.sleep(0)
            assert not leaving.done()
            link.pacer.answered()
        await leaving
        link.pacer.sent(10)
        assert link.asked == 2, "nothing is asked on the way out"
        link.pacer.go_on()
        link.pacer.sent(10)
        assert link.asked == 3

    asyncio.run(leave())


def test_a_terminal_that_does_not_answer_is_left_all_the_same(monkeypatch):
    monkeypatch.setattr(pacing, "LINGER", 0.01)
    link = Link()
    link.pacer.sent(ALLOWANCE)
    asyncio.run(link.pacer.hear_out())
    link.now += PATIENCE + 0.1
    assert link.may_send()
    monkeypatch.setattr(pacing, "LINGER", 600)
    asyncio.run(link.pacer.hear_out())  # it is known to answer never


def test_a_pacer_does_not_keep_its_app():
    app = App()
    app._running = True  # as far as who listens to its messages can tell
    assert pacer_of(app) is pacer_of(app) is not None
    gone = ref(app)
    del app
    gc.collect()
    assert gone() is None
