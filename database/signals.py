"""`hear_signals`: reacts to signals at once, also while the main thread waits inside libpq."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

#: What a terminal, or a service manager, sends to end a program.
GROUP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


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

    *interrupt* is called on the main thread, as soon as that runs Python code again; it may
    raise. Signals that were ignored before (nohup) stay ignored. On any other thread than the
    main one nothing is heard.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)  # noqa: FBT003 -- it has no name

    def listen() -> None:
        while received := reading.recv(1):
            if received[0] in numbers:
                hear(received[0])

    def handle(number: int, _frame: FrameType | None) -> None:
        interrupt(number)

    thread = threading.Thread(target=listen, name="signals", daemon=True)
    thread.start()
    descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    handlers = {
        number: signal.signal(number, handle)
        for number in numbers
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(descriptor)
        writing.close()
        thread.join(timeout=1.0)
        reading.close()
