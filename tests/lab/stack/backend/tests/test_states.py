from app.fsm import states


def test_an_ended_thread_waits_for_nobody():
    assert states.PAYMENT_PENDING not in states.ENDED
    assert states.BOOKED in states.ENDED
