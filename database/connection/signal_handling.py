"""`hear_signals`: react to signals at once, also inside libpq; `signals_held`: block them."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

#: Signals that a terminal or a service manager sends to end a program.
GROUP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def signals_held(*more: int) -> Iterator[None]:
    """
    Block the signals that end a program, and *more*, until the block ends.

    A process that is started in the block has them blocked until it sets a signal mask itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*GROUP_SIGNALS, *more))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _do_nothing(_number: int) -> None:
    pass


@contextmanager
def hear_signals(
    hear: Callable[[int], None],
    *,
    numbers: Sequence[int] = GROUP_SIGNALS,
    interrupt: Callable[[int], None] = _do_nothing,
) -> Iterator[None]:
    """
    Call *hear* on a thread of its own for each of these signals while the block runs.

    *interrupt* is called on the main thread as soon as this runs Python code again; it may raise.
    Signals that were ignored before (nohup) stay ignored. On a thread other than the main one this
    does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {
        number: signal.signal(number, lambda number, _frame: interrupt(number))
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        with _numbers_read_by(numbers, hear):
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _numbers_read_by(numbers: Sequence[int], hear: Callable[[int], None]) -> Iterator[None]:
    """Let the signal handler in C write signal numbers into a socket that a thread reads."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)  # noqa: FBT003 -- it has no name

    def listen() -> None:
        while received := reading.recv(1):
            if received[0] in numbers:
                hear(received[0])

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        writing.close()
        thread.join(timeout=1.0)
        reading.close()
