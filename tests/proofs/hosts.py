"""`open_hosts`: simulated hosts as network namespaces with their own addresses on one bridge."""

import contextlib
import subprocess
from collections.abc import Iterator

NETWORK = "10.77.0"
#: Address of this process: the client, the scheduler and the API.
OFFICE = f"{NETWORK}.1"
_BRIDGE = "yts-proof"


class Host:
    """A network namespace, connected to the bridge."""

    def __init__(self, number: int) -> None:
        """Create the namespace and connect it."""
        self.address = f"{NETWORK}.{number}"
        self._name, self._cable = f"yts-proof-{number}", f"ytsp{number}"
        #: Prefix of commands that run there.
        self.prefix = ("ip", "netns", "exec", self._name)
        _ip("netns", "add", self._name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0",
            "netns", self._name)  # fmt: skip
        _ip("link", "set", self._cable, "master", _BRIDGE, "up")
        _ip("-n", self._name, "addr", "add", f"{self.address}/24", "dev", "eth0")
        _ip("-n", self._name, "link", "set", "eth0", "up")
        _ip("-n", self._name, "link", "set", "lo", "up")

    def kill_all(self) -> None:
        """Kill every process at once, like a power cut."""
        for pid in self.pids():
            subprocess.run(["kill", "-9", pid], check=False)

    def pids(self) -> list[str]:
        """Return the processes that run there."""
        return _ip("netns", "pids", self._name).split()

    def slow_down(self) -> None:
        """Limit its network to 16 KB a second."""
        subprocess.run(
            ["tc", "qdisc", "add", "dev", self._cable, "root", "tbf",
             "rate", "128kbit", "burst", "4kb", "latency", "400ms"],
            check=True,
        )  # fmt: skip

    def cut_off(self) -> None:
        """Disconnect the host without closing connections."""
        _ip("link", "set", self._cable, "down")

    def remove(self) -> None:
        """Remove the host and all its processes."""
        self.kill_all()
        # Open connections would keep the namespace for minutes.
        _ip("link", "del", self._cable)
        _ip("netns", "del", self._name)


def _ip(*command: str) -> str:
    done = subprocess.run(["ip", *command], check=True, capture_output=True, text=True)
    return done.stdout


@contextlib.contextmanager
def open_hosts(count: int) -> Iterator[list[Host]]:
    """Yield *count* hosts that can reach each other and this process; needs root and iproute2."""
    _ip("link", "add", _BRIDGE, "type", "bridge")
    hosts: list[Host] = []
    try:
        _ip("addr", "add", f"{OFFICE}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        for number in range(2, 2 + count):
            hosts.append(Host(number))
        yield hosts
    finally:
        for host in hosts:
            host.remove()
        _ip("link", "del", _BRIDGE)
