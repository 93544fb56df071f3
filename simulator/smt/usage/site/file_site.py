"""SMT's file site: FTP over explicit TLS in a thread of its own, a home folder per user, a call for each file that has arrived.

The call reaches the event loop before the client is told, so whoever waits for the client's upload finds the intake already begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from simulator.errors import SimulatorError
from simulator.smt.registry.log_in import LoginGuard
from simulator.smt.registry.records import User
from simulator.smt.usage.postings import Postings
from simulator.smt.usage.site.folders import Homes
from simulator.smt.usage.site.ftps import Authorizer, Seen, handler_of
from simulator.smt.usage.site.rights import with_folder
from simulator.smt.usage.site.uploads import Uploads

#: How long the thread sleeps at most before it looks whether it is to stop.
_POLL_S = 0.1
#: Octets of a file, and connections in all and of one peer, at most. Defaults of this project.
LARGEST_FILE, MOST_CONNECTIONS, MOST_OF_PEER = 256 << 20, 256, 64

OnFile = Callable[[str, Path], object]


class _Server(FTPServer):  # type: ignore[misc]
    max_cons, max_cons_per_ip = MOST_CONNECTIONS, MOST_OF_PEER


class FileSite(Homes):
    """The FTPS server of the users' folders."""

    def __init__(
        self,
        root: Path,
        users: Mapping[str, User],
        certificate: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        passive_ports: range | None = None,
        largest: int = LARGEST_FILE,
        seen: Seen | None = None,
    ) -> None:
        """Bind at once; nothing is served before ``start``.

        root: the homes are below it, by username. certificate: key and chain in one PEM file. port 0: a free one. largest: octets of a file. seen: told of each command.
        Raises SimulatorError ``smt.ftps.port_taken``.
        """
        super().__init__(root.resolve(), with_folder(users.values()))
        self._uploads = Uploads(largest)
        self._authorizer = Authorizer(users, self.home)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Without a handler of its own pyftpdlib would set up logging for the whole program.
        log = logging.getLogger("pyftpdlib")
        if not log.handlers:
            log.addHandler(logging.NullHandler())
        log.setLevel(logging.ERROR)
        self._io = IOLoop()
        try:
            handler = handler_of(self._authorizer, self._uploads, certificate, passive_ports, seen)
            self._server = _Server((host, port), handler, ioloop=self._io)
        except OSError as error:
            self._io.close()
            if error.errno != errno.EADDRINUSE and "in use" not in str(error):
                raise
            raise SimulatorError(
                "smt.ftps.port_taken",
                f"Port {port} of the file site is taken.",
                place=f"{host}:{port}",
                mend="Stop what uses it, or give others: --ftps-port, of a sandbox --port-base.",
            ) from None
        self.host, self.port = self._server.address

    def start(self, on_file: OnFile, book: Postings, guard: LoginGuard) -> None:
        """Serve, and call ``on_file(username, path)`` in the event loop that runs now for every file that has arrived.

        book: which names were used, and what is to be known of the files. guard: checks log-ins.
        """
        self._authorizer.begin(guard)
        loop = asyncio.get_running_loop()
        self._uploads.begin(book, lambda username, path: loop.call_soon_threadsafe(on_file, username, path))
        self._thread = threading.Thread(target=self._serve, name="smt-file-site", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the port; returns when the thread has ended."""
        self._stop.set()
        if self._thread is None:
            self._server.close_all()
            return
        # Who connects ends its wait: it looks at once.
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), _POLL_S):
            self._thread.join()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._server.serve_forever(timeout=_POLL_S, blocking=False, handle_exit=False)
        self._server.close_all()
