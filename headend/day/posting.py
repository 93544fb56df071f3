"""Files to and from SMT's site over FTPS with explicit TLS. A file appears under its name only when all of it has arrived.

Blocking calls: the head-end makes them through its driver.
"""

from __future__ import annotations

import ftplib
import io
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from headend.boundaries import boundary
from headend.ports import HeadEndError
from meters.errors import reason

#: Under ``<name>.part`` a file is still on its way; an intake leaves it alone.
PART = ".part"
#: What SMT's site says with 553 of a name that was used: in these words where it has these very octets, which are posted then, or others.
SAME_OCTETS, OTHER_OCTETS = "the same octets lie under this name", "other octets were posted under this name"
#: Code of the error that other octets lie there.
NAME_USED = "headend.posting.name_used"


@dataclass(frozen=True, slots=True)
class FtpsSite:
    """Where files are posted, and as whom. The server's certificate must name ``host`` and come from the authority in ``ca_file``."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    #: Certificates of the authority, PEM.
    ca_file: Path
    #: Seconds of wall time after which a silent server is given up.
    timeout_s: float = 30.0

    @property
    def place(self) -> str:
        """``host:port``, for messages."""
        return f"{self.host}:{self.port}"


class _DataSocket(ssl.SSLSocket):
    """A TLS socket that takes a server's unclean goodbye for one.

    ftplib ends a transfer by waiting for the server's close_notify, which many servers (pyftpdlib among them) may skip. Nothing is lost by
    not insisting: the reply on the control connection and the size tell whether the file is whole.
    """

    def unwrap(self) -> ssl.socket:  # type: ignore[name-defined]
        try:
            return super().unwrap()
        except OSError:
            return self


def _context(site: FtpsSite) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=site.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise HeadEndError(
            "headend.posting.ca_file",
            f"The authority's certificate cannot be read: {reason(error)}.",
            place=str(site.ca_file),
            mend="Name a PEM file with the certificate of the site's authority.",
        ) from None
    context.sslsocket_class = _DataSocket
    return context


@contextmanager
def _session(site: FtpsSite) -> Iterator[ftplib.FTP_TLS]:
    """A logged-in session with protected data connections; every fault leaves it as a HeadEndError."""
    ftp = ftplib.FTP_TLS(context=_context(site), timeout=site.timeout_s)
    try:
        ftp.connect(site.host, site.port)
        ftp.login(site.username, site.password)
        ftp.prot_p()
        yield ftp
        ftp.quit()
    except (ftplib.Error, OSError, EOFError, ValueError) as error:
        raise _explained(error, site) from None
    finally:
        ftp.close()


def _explained(error: Exception, site: FtpsSite) -> HeadEndError:
    reply = str(error).splitlines()[0] if str(error) else type(error).__name__

    def posting_error(code: str, message: str, mend: str) -> HeadEndError:
        return HeadEndError(f"headend.posting.{code}", message, place=site.place, mend=mend)

    if isinstance(error, ssl.SSLCertVerificationError):
        mend = "Give the CA file of the site's authority and a host name that its certificate carries."
        return posting_error("certificate", f"The site's certificate is not accepted: {error.verify_message}.", mend)
    if isinstance(error, ConnectionRefusedError):
        return posting_error("refused", "Nothing listens there.", "Check host and port, and that the site is up.")
    if isinstance(error, TimeoutError):
        return posting_error(
            "timeout", f"No answer within {site.timeout_s:g} s.", "Check host and port; try again later."
        )
    if isinstance(error, ftplib.Error):
        status = reply[:3]
        if status == "530":
            return posting_error("login", f"The log-in was refused ({reply}).", "Check user name and password.")
        if status == "553" and OTHER_OCTETS in reply:
            return posting_error("name_used", f"The site said {reply}.", "Post under another name.")
        # pyftpdlib answers 550 with the operating system's words.
        if status in ("452", "552") or "No space left" in reply:
            return posting_error(
                "full", f"The site has no room ({reply}).", "Free space there or raise the quota, then post again."
            )
        mend = "Post again later." if isinstance(error, ftplib.error_temp) else "Ask the site's operator."
        return posting_error("rejected", f"The site said {reply}.", mend)
    return posting_error("broken", f"The connection failed: {reply}.", "Post again.")


def _checked(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        mend = "Use letters, digits, dot, dash and underscore."
        raise HeadEndError("headend.posting.name", f"{name!r} is no file name.", mend=mend)
    return name


def _check_size(name: str, arrived: int, wanted: int | None) -> None:
    if arrived != wanted:
        raise ConnectionError(f"{name}: {arrived} of {wanted} octets arrived")


def upload(site: FtpsSite, name: str, content: bytes) -> bool:
    """Post one file: it is sent as ``<name>.part``, its size is checked, then it gets its name. False: the site has had it since an earlier try.

    Raises HeadEndError ``headend.posting.*``: refused, timeout, certificate, ca_file, login, full, name_used, rejected, broken, name.
    """
    with _session(site) as session:
        session.storbinary(f"STOR {_checked(name)}{PART}", io.BytesIO(content))
        session.voidcmd("TYPE I")
        _check_size(name, session.size(name + PART) or 0, len(content))
        boundary("headend.posting")
        try:
            session.rename(name + PART, name)
        except ftplib.error_perm as error:
            if not str(error).startswith("553") or SAME_OCTETS not in str(error):
                raise
            return False
    return True


def download(site: FtpsSite, name: str) -> bytes:
    """Fetch one file, whole. Raises HeadEndError ``headend.posting.*`` as ``upload`` does."""
    content = io.BytesIO()
    with _session(site) as session:
        session.voidcmd("TYPE I")
        size = session.size(_checked(name))
        session.retrbinary(f"RETR {name}", content.write)
        _check_size(name, content.tell(), size)
    return content.getvalue()


def names(site: FtpsSite) -> list[str]:
    """Names of the files in the log-in's folder, sorted; those still on their way are left out."""
    with _session(site) as session:
        return sorted(name for name in session.nlst() if not name.endswith(PART))
