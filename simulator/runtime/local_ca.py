"""A certificate authority of this machine alone, and the certificate that every TLS service of the test bed shows."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

#: Names of SMT that clients of others ask for: the portal's two, the market API's two [S].
SMT_NAMES = (
    "www.smartmetertexas.com",
    "smartmetertexas.com",
    "services.smartmetertexas.net",
    "uatservices.smartmetertexas.net",
)
#: What the certificate is for.
NAMES = ("127.0.0.1", "localhost", *SMT_NAMES)


@dataclass(frozen=True, slots=True)
class LocalCa:
    """PEM files: the authority to trust; key and certificate chain of the server in one file."""

    ca_file: Path
    server_file: Path

    @classmethod
    def make(cls, folder: Path) -> LocalCa:
        """Make a new authority and a server certificate in a folder, which is created if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        authority = trustme.CA(organization_name="AMI test bed, local only")
        certificate = authority.issue_cert(*NAMES)
        made = cls(folder / "ca.pem", folder / "server.pem")
        authority.cert_pem.write_to_path(str(made.ca_file))
        # The key must never be readable by others, not even for a moment.
        made.server_file.unlink(missing_ok=True)
        made.server_file.touch(mode=0o600)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(made.server_file), append=True)
        return made

    @classmethod
    def kept(cls, folder: Path) -> LocalCa:
        """The authority that an earlier run left in a folder, which clients may trust by now; a new one if there is none."""
        left = cls(folder / "ca.pem", folder / "server.pem")
        return left if left.ca_file.exists() and left.server_file.exists() else cls.make(folder)

    def client_context(self) -> ssl.SSLContext:
        """What a client needs to trust the services."""
        return ssl.create_default_context(cafile=str(self.ca_file))
