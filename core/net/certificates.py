"""When the certificates end that a server shows: the first of the whole chain, for any one of them ends them all."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.format import coarse_duration

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as Parsed

DER = 2
"""How the engine of `ssl` is asked for the bytes of a certificate (_ssl.ENCODING_DER)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a chain that ends first."""

    ends: float
    """Epoch seconds."""
    name: str
    """Common name of its subject, or what stands for it."""
    is_own: bool = True
    """Whether it is the server's own, and not one of those that vouch for it."""

    def told(self, now: float) -> str:
        """Return when it ends, in a sentence: "a certificate of its chain expires in 6 d (Fund Intermediate CA)"."""
        which = "its certificate" if self.is_own else "a certificate of its chain"
        left = self.ends - now
        return f"{which} {f'expires in {coarse_duration(left)}' if left > 0 else 'has expired'} ({self.name})"


def first_to_end(secured: ssl.SSLSocket) -> Certificate | None:
    """Return the certificate that ends first of those that the other side has shown; None when it has shown none."""
    from cryptography import x509  # loaded only when somebody watches TLS

    shown = [x509.load_der_x509_certificate(each) for each in _shown(secured)]
    chain = [Certificate(each.not_valid_after_utc.timestamp(), _name(each), each is shown[0]) for each in shown]
    return min(chain, key=lambda each: each.ends, default=None)


def earlier(one: Certificate | None, other: Certificate | None) -> Certificate | None:
    """Return the one that ends first."""
    return min((each for each in (one, other) if each), key=lambda each: each.ends, default=None)


def _shown(secured: ssl.SSLSocket) -> Sequence[bytes]:
    """Return the chain as it was shown, the server's own first: public from Python 3.13 on, there since 3.10."""
    if hasattr(secured, "get_unverified_chain"):
        return list(secured.get_unverified_chain() or ())
    engine = secured._sslobj  # type: ignore[attr-defined]
    return [each.public_bytes(DER) for each in engine.get_unverified_chain() or ()]


def _name(certificate: Parsed) -> str:
    from cryptography.x509.oid import NameOID

    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    found = str(common[0].value) if common else certificate.subject.rfc4514_string()
    return found or f"serial number {certificate.serial_number:x}"
