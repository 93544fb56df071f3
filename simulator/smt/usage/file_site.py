"""SMT's file site: FTP over explicit TLS in a thread of its own, a home folder per user, a call for each file that has arrived.

A file has arrived when it bears its final name: uploaded under it, or renamed from ``<name>.part``. The call reaches the event loop before
the client is told, so whoever waits for the client's upload finds the intake already begun.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import AuthenticationFailed
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from simulator.errors import SimulatorError
from simulator.smt.registry.passwords import password_is
from simulator.smt.registry.records import User
from simulator.smt.usage.folders import PART, Homes

#: Everything but changing modes and times of files.
_PERMISSIONS = "elradfmw"
#: How long the thread sleeps at most before it looks whether it is to stop.
_POLL_S = 0.1

OnFile = Callable[[str, Path], object]


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
    ) -> None:
        """Bind at once; nothing is served before ``start``.

        root: the homes are below it, by username. certificate: key and chain in one PEM file. port 0: a free one.
        Raises SimulatorError ``smt.ftps.port_taken``.
        """
        super().__init__(root, users)
        self._users = users
        self._tell: OnFile | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Without a handler of its own pyftpdlib would set up logging for the whole program.
        log = logging.getLogger("pyftpdlib")
        if not log.handlers:
            log.addHandler(logging.NullHandler())
        log.setLevel(logging.ERROR)
        self._io = IOLoop()
        try:
            self._server = FTPServer((host, port), self._handler(certificate, passive_ports), ioloop=self._io)
        except OSError as error:
            self._io.close()
            if error.errno != errno.EADDRINUSE and "in use" not in str(error):
                raise
            raise SimulatorError(
                "smt.ftps.port_taken",
                f"Port {port} of the file site is taken.",
                place=f"{host}:{port}",
                mend="Stop what uses it, or move all ports with --port-base.",
            ) from None
        self.host, self.port = self._server.address

    def start(self, on_file: OnFile) -> None:
        """Serve, and call ``on_file(username, path)`` in the event loop that runs now for every file that has arrived."""
        loop = asyncio.get_running_loop()
        self._tell = lambda username, path: loop.call_soon_threadsafe(on_file, username, path)
        self._thread = threading.Thread(target=self._serve, name="smt-file-site", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the port; returns when the thread has ended."""
        self._stop.set()
        if self._thread is None:
            self._server.close_all()
        else:
            self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._server.serve_forever(timeout=_POLL_S, blocking=False, handle_exit=False)
        self._server.close_all()

    def _arrived(self, path: str) -> None:
        """Tell the event loop of a file under its final name. Runs in the server's thread."""
        found = Path(path)
        if not found.name.endswith(PART) and self._tell is not None:
            self._tell(found.relative_to(self._root.resolve()).parts[0], found)

    def _handler(self, certificate: Path, passive: range | None) -> type[TLS_FTPHandler]:
        site = self

        class Files(AbstractedFS):  # type: ignore[misc]
            def rename(self, src: str, dst: str) -> None:
                os.replace(src, dst)
                site._arrived(dst)

        class Transfer(TLS_DTPHandler):  # type: ignore[misc]
            _told = False

            def close(self) -> None:
                # The reply to the client is sent by the inherited close, so the file is finished and told of before.
                if self.receive and self.transfer_finished and self.file_obj is not None and not self._told:
                    self._told = True
                    self.file_obj.close()
                    site._arrived(os.path.realpath(self.file_obj.name))
                super().close()

        class Handler(TLS_FTPHandler):  # type: ignore[misc]
            certfile = str(certificate)
            ssl_context = None
            tls_control_required = True
            tls_data_required = True
            authorizer = _Authorizer(site._users, site.home)
            abstracted_fs = Files
            dtp_handler = Transfer
            passive_ports = passive
            banner = "SMT file site (test bed)"
            # A pause for the guesser that does not make an honest typing error slow.
            auth_failed_timeout = 0.5

        return Handler


class _Authorizer:
    """Users of the registry, each in a home that it cannot leave."""

    def __init__(self, users: Mapping[str, User], home: Callable[[str], Path]) -> None:
        self._users = users
        self._home = home

    def validate_authentication(self, username: str, password: str, _handler: Any) -> None:
        user = self._users.get(username)
        if user is None or not password_is(user, password):
            raise AuthenticationFailed("Authentication failed.")

    def has_user(self, username: str) -> bool:
        return username in self._users

    def get_home_dir(self, username: str) -> str:
        return str(self._home(username).resolve())

    def get_perms(self, _username: str) -> str:
        return _PERMISSIONS

    def has_perm(self, _username: str, perm: str, _path: str | None = None) -> bool:
        return perm in _PERMISSIONS

    def get_msg_login(self, _username: str) -> str:
        return "Login successful."

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def impersonate_user(self, username: str, password: str) -> None:
        """Virtual users are nobody to the operating system."""

    def terminate_impersonation(self, username: str) -> None:
        """Nothing to undo."""
