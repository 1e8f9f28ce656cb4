"""A real Postfix on loopback, with its own configuration, queue and mailboxes; nothing of the system's is changed.

It delivers mail for example.org into Maildirs, and relays example.net to a server that refuses everybody, so that
what was accepted comes back as a bounce. It reaches no other server. What it answers is scripted by `policy`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.postfix_policy import PolicyServer, serve_policy

DOMAIN, BOUNCING = "example.org", "example.net"
_POSTFIX = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin") or ""
_NOBODY = 65534

#: `{...}` is filled in; what a test passes as settings is appended, and the last line of a name wins.
_MAIN = """\
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mail.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
default_transport = error:5.4.4 this server reaches no other network
transport_maps = inline:{{ {{ example.net = smtp:[127.0.0.1]:{refusing} }} }}
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = hash:{folder}/etc/mailboxes
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
# Unknown mailboxes first: left to itself, Postfix looks for the mailbox last, after the policy.
smtpd_recipient_restrictions =
    reject_unlisted_recipient, check_policy_service inet:127.0.0.1:{policy}, permit_mynetworks, reject
smtpd_end_of_data_restrictions = check_policy_service inet:127.0.0.1:{policy}
# Answers to errors come at once; limits hold for loopback, too.
smtpd_error_sleep_time = 0
smtpd_client_event_limit_exceptions =
smtpd_tls_security_level = none
"""

#: Debian's services less chroot and what isn't needed, and example.net's server, which refuses every recipient.
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{refusing} inet n - n - - smtpd
  -o myhostname=mx.example.net
  -o {{ smtpd_recipient_restrictions = check_recipient_access static:{{550 5.1.1 No such mailbox}} }}
  -o smtpd_end_of_data_restrictions=
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def missing() -> str:
    """Why Postfix can't be run here; empty when it can."""
    if not _POSTFIX:
        return "postfix is not installed"
    return "" if os.geteuid() == 0 else "postfix can only be started by root"


@dataclass(frozen=True)
class Mail:
    """A message as it lies in a mailbox, with the headers that Postfix added."""

    mailbox: str
    message: bytes


@dataclass
class Postfix:
    """One instance. `start` and `stop` may be called as often as wanted; mail survives in its queue."""

    folder: Path
    port: int
    policy: PolicyServer
    _addresses: set[str] = field(default_factory=set)

    def add_mailboxes(self, *addresses: str) -> None:
        """Let these exist at example.org; all others are unknown. Holds from the next connection on."""
        self._addresses.update(addresses)
        table = self.folder / "etc" / "mailboxes"
        table.write_text("".join(f"{address} {address}/\n" for address in sorted(self._addresses)), encoding="utf-8")
        self._run("postmap", f"hash:{table}")

    def start(self) -> None:
        """Start, and return when it answers."""
        self._run("postfix", "start")
        _wait_until(self._answers, "Postfix to answer")

    def stop(self) -> None:
        """Stop at once, whatever is under way, and return when no process is left."""
        self._run("postfix", "abort")
        _wait_until(lambda: not self._processes(), "Postfix to end")

    def delivered(self) -> list[Mail]:
        """What lies in the mailboxes, once the queue is empty."""
        _wait_until(self._is_idle, "an empty queue")
        folders = sorted((self.folder / "mail").glob("*/new"))
        return [Mail(folder.parent.name, path.read_bytes()) for folder in folders for path in sorted(folder.iterdir())]

    def log(self) -> str:
        """What Postfix logged."""
        return (self.folder / "postfix.log").read_text(encoding="utf-8")

    def kill(self) -> None:
        """End what `stop` may have left."""
        left = self._processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=10)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            return connection.recv(100).startswith(b"220 ")
        return False

    def _processes(self) -> list[psutil.Process]:
        # All of Postfix's programs work in the queue's folder.
        queue = str(self.folder.resolve() / "queue")
        return [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == queue]

    def _is_idle(self) -> bool:
        # Twice, since a message may move from one queue to another while they are looked at.
        return not self._queued() and not self._queued()

    def _queued(self) -> list[Path]:
        queues = (self.folder / "queue" / name for name in ("maildrop", "incoming", "active", "deferred"))
        return [path for queue in queues for path in queue.rglob("*") if path.is_file()]

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(Path(_POSTFIX).with_name(program)), "-c", str(self.folder / "etc"), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode:
            log = self.log() if (self.folder / "postfix.log").exists() else ""
            raise RuntimeError(f"{program} {arguments}: {done.stdout}{done.stderr}\n{log}")


@contextmanager
def serve_postfix(settings: Mapping[str, str] | None = None) -> Iterator[Postfix]:
    """A running instance until the block ends, with other `settings` of main.cf where given."""
    with ExitStack() as stack:
        # pytest's own temporary folders are closed to other users; Postfix's services run as other users.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postfix-")))
        folder.chmod(0o755)
        policy = stack.enter_context(serve_policy())
        port, refusing = _free_ports(2)
        _lay_out(folder, {"port": port, "refusing": refusing, "policy": policy.port}, settings or {})
        postfix = Postfix(folder, port, policy)
        postfix.add_mailboxes()
        stack.callback(postfix.kill)
        postfix.start()
        stack.callback(_stop_if_running, postfix)
        yield postfix


def _lay_out(folder: Path, ports: Mapping[str, int], settings: Mapping[str, str]) -> None:
    for name in ("etc", "queue", "data", "mail"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    os.chown(folder / "mail", _NOBODY, _NOBODY)
    own = "".join(f"{name} = {value}\n" for name, value in settings.items())
    main = folder / "etc" / "main.cf"
    main.write_text(_MAIN.format(folder=folder, nobody=_NOBODY, **ports) + own)
    os.utime(main, (0, 0))  # Postfix reads a file that is younger than a second again and again, until it is older
    (folder / "etc" / "master.cf").write_text(_MASTER.format(**ports))


def _stop_if_running(postfix: Postfix) -> None:
    with suppress(RuntimeError):  # it was stopped by the test, and stays so
        postfix.stop()


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]


def _wait_until(done: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} seconds for {what}")
        time.sleep(0.02)
