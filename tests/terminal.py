"""A terminal of one's own for the commands that ask."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from tests.desk import Desk

#: How a question ends.
_WAITING = (b"[q]uit", b"]:", b"show:", b"it:", b"out):", b"none):", b"Title:", b"Summary:")


def at_a_terminal(desk: Desk, *arguments: str, keys: tuple[str, ...]) -> str:
    """Run a command at a terminal and press keys, each when the command waits; what it wrote."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "newsletter", *arguments]
    environment = {**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1", "TERM": "dumb"}
    with subprocess.Popen(
        command, cwd=desk.folder, stdin=follower, stdout=follower, stderr=follower, env=environment
    ) as process:
        os.close(follower)
        seen = b""
        pressed = 0
        os.set_blocking(leader, False)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                piece = os.read(leader, 4096)
            except BlockingIOError:
                piece = b""
            except OSError:
                break
            seen += piece
            if not piece and process.poll() is not None:
                break
            waits = seen.rstrip(b" ").endswith(_WAITING)
            if not piece and waits and pressed < len(keys):
                os.write(leader, keys[pressed].encode())
                pressed += 1
                seen += b"\n"
            time.sleep(0.02)
        process.kill() if process.poll() is None else None
    os.close(leader)
    return seen.decode("utf-8", "replace")
