"""FTP over explicit TLS as the file site speaks it: pyftpdlib's server, held to ``rights`` and ``uploads``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from OpenSSL import SSL
from pyftpdlib.authorizers import AuthenticationFailed
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
from sqlalchemy.exc import SQLAlchemyError

from simulator.smt.registry.log_in import LoginFault, LoginGuard
from simulator.smt.registry.records import User
from simulator.smt.usage.postings import Happened
from simulator.smt.usage.site.folders import PART
from simulator.smt.usage.site.rights import RIGHTS, no_name, rights
from simulator.smt.usage.site.uploads import RefusedError, Upload, Uploads

_debug = logging.getLogger(__name__).debug

#: Told of a command as it comes, by whom (empty before a log-in) and about what; gives what is told the reply, and the file that was moved.
Seen = Callable[[str, str, str], Callable[[str, Path | None], None]]


def _unseen(_username: str, _command: str, _about: str) -> Callable[[str, Path | None], None]:
    return lambda _told, _moved: None


def handler_of(
    authorizer: Authorizer, uploads: Uploads, certificate: Path, passive_ports: range | None, seen: Seen | None = None
) -> type[TLS_FTPHandler]:
    """What speaks with a client of one site. certificate: key and chain in one PEM file. seen: told of each command."""
    settings = {"certfile": str(certificate), "ssl_context": None, "passive_ports": passive_ports}
    return type(
        "Handler",
        (_Handler,),
        settings | {"uploads": uploads, "authorizer": authorizer, "seen": staticmethod(seen or _unseen)},
    )


class _Files(AbstractedFS):  # type: ignore[misc]
    def open(self, filename: str, mode: str) -> Any:
        if mode == "rb":
            return super().open(filename, mode)
        return self.cmd_channel.uploads.open(Path(filename), mode)


class _Transfer(TLS_DTPHandler):  # type: ignore[misc]
    """A data connection."""

    _looked = False

    def close(self) -> None:
        # The reply to the client is sent by the inherited close, so the file is finished and told of before.
        if not self._looked and self.file_obj is not None:
            self._looked = True
            self._look()
        super().close()

    def handle_error(self) -> None:
        fault = sys.exc_info()[1]
        cause = fault.__cause__ if fault is not None else None
        if not isinstance(self.file_obj, Upload) or not isinstance(cause, OSError):
            super().handle_error()
            return
        # What could not be written: the inherited way would leave the client without an answer.
        self._resp = (f"452 {cause.strerror}.", _debug)
        self._error = True
        self.close()

    def _look(self) -> None:
        uploads = self.cmd_channel.uploads
        if isinstance(self.file_obj, Upload):
            told, log = self._resp or ("426 Transfer aborted.", _debug)
            tls = isinstance(self.socket, SSL.Connection)
            said_so = self.transfer_finished and tls and bool(self.socket.get_shutdown() & SSL.RECEIVED_SHUTDOWN)
            self._resp = (uploads.ended(self.file_obj, said_so, told), log)
            lies = (self.file_obj.path, self.file_obj.final)
            self.cmd_channel.has_moved(next((path for path in lies if path is not None and path.is_file()), None))
        elif self.cmd == "RETR" and self.transfer_finished:
            uploads.note(Happened.FETCHED, Path(self.file_obj.name))
            self.cmd_channel.has_moved(Path(self.file_obj.name))


class _Handler(TLS_FTPHandler):  # type: ignore[misc]
    """A client's session."""

    uploads: Uploads
    seen: Seen
    #: What the command moved, and where its reply is told.
    _moved: Path | None = None
    _ended: Callable[[str, Path | None], None] | None = None
    _rnfr: str | None
    tls_control_required = True
    tls_data_required = True
    abstracted_fs = _Files
    dtp_handler = _Transfer
    banner = "SMT file site (test bed)"
    # A pause for the guesser that does not make an honest typing error slow.
    auth_failed_timeout = 0.5
    # The names of files are the client's.
    proto_cmds: ClassVar = {name: command for name, command in TLS_FTPHandler.proto_cmds.items() if name != "STOU"}

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        """Look at a command as it was written."""
        self._ended = self.seen(self.username, cmd, arg)
        super().pre_process_command(line, cmd, arg)

    def respond(self, resp: str, *args: Any, **kwargs: Any) -> None:
        """Reply to a command, by a last line or one before it."""
        if self._ended is not None and not resp.startswith("1"):
            # Before it is out: who gets it may go on, and the clock with him.
            self._ended(resp, self._moved)
            self._ended = self._moved = None
        super().respond(resp, *args, **kwargs)

    def has_moved(self, path: Path | None) -> None:
        """Take note of the file of a transfer that has ended, before its reply."""
        self._moved = path

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Answer a command. ``args``: what it is about, a path of the machine."""
        try:
            if cmd in ("STOR", "APPE"):
                self._check_name(Path(args[0]))
            elif cmd == "RNFR" and not args[0].endswith(PART):
                raise RefusedError(f"550 Only a {PART} is renamed.")
            if cmd == "RNTO" and self._rnfr:
                self._rename(Path(self._rnfr), Path(args[0]))
            else:
                super().process_command(cmd, *args, **kwargs)
        except RefusedError as refused:
            self._restart_position = 0
            self.respond(str(refused))

    def _check_name(self, path: Path) -> None:
        reason = no_name(path, Path(self.fs.root))
        if reason:
            raise RefusedError(f"553 {reason}.")

    def _rename(self, part: Path, final: Path) -> None:
        self._rnfr = None
        if final.name.endswith(PART):
            raise RefusedError(f"553 A {PART} is renamed to its name.")
        self._check_name(final)
        try:
            self.uploads.name(part, final)
        except OSError as error:
            raise RefusedError(f"550 {error.strerror}.") from None
        self.respond("250 Renaming ok.")


class Authorizer:
    """Users of the registry, each in a home that it cannot leave."""

    def __init__(self, users: Mapping[str, User], home: Callable[[str], Path]) -> None:
        """home: a user's folder, an absolute path."""
        self._users = users
        self._home = home
        self._guard: LoginGuard | None = None

    def begin(self, guard: LoginGuard) -> None:
        """guard: of every door, so that guesses here and there add up."""
        self._guard = guard

    def validate_authentication(self, username: str, password: str, handler: Any) -> None:
        assert self._guard is not None
        try:
            user = self._guard.check(username, password, handler.remote_ip)
        except SQLAlchemyError:
            raise AuthenticationFailed("Log-ins cannot be checked now: try again later.") from None
        if user is LoginFault.BLOCKED:
            raise AuthenticationFailed("Too many failed log-ins: try again later.")
        if isinstance(user, LoginFault) or user.kind not in RIGHTS:
            raise AuthenticationFailed("Authentication failed.")

    def has_user(self, username: str) -> bool:
        return username in self._users

    def get_home_dir(self, username: str) -> str:
        return str(self._home(username).resolve())

    def get_perms(self, username: str) -> str:
        return "".join(sorted(set().union(*RIGHTS[self._users[username].kind].values())))

    def has_perm(self, username: str, perm: str, path: str) -> bool:
        return perm in rights(self._users[username].kind, Path(path), self._home(username))

    def get_msg_login(self, _username: str) -> str:
        return "Login successful."

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."

    def impersonate_user(self, username: str, password: str) -> None:
        """Virtual users are nobody to the operating system."""

    def terminate_impersonation(self, username: str) -> None:
        """Nothing to undo."""
