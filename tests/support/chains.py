"""Chains of certificates made on the spot: a root, one that vouches in between, and a server's own for localhost."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT, BETWEEN, LEAF = "Fund Root CA", "Fund Intermediate CA", "orders.fund.example"


@dataclass(frozen=True, slots=True)
class Chain:
    """The files of a chain."""

    root: Path
    """To be trusted."""
    shown: Path
    """What the server shows: its own, and the one in between."""
    key: Path


def make_chain(folder: Path, leaf_days: float, between_days: float) -> Chain:
    """Return a chain whose certificates end in so many days; its root ends in ten years."""
    root, between, leaf = (generate_private_key(SECP256R1()) for _ in range(3))
    made = {
        "root": _certificate(ROOT, root, ROOT, root, 3_650, is_authority=True),
        "between": _certificate(BETWEEN, between, ROOT, root, between_days, is_authority=True),
        "leaf": _certificate(LEAF, leaf, BETWEEN, between, leaf_days),
    }
    texts = {name: each.public_bytes(Encoding.PEM) for name, each in made.items()}
    chain = Chain(folder / "root.pem", folder / "shown.pem", folder / "key.pem")
    chain.root.write_bytes(texts["root"])
    chain.shown.write_bytes(texts["leaf"] + texts["between"])
    chain.key.write_bytes(leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain


def _certificate(
    name: str, key: EllipticCurvePrivateKey, by: str, by_key: EllipticCurvePrivateKey, days: float,
    is_authority: bool = False,
) -> x509.Certificate:  # fmt: skip
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(by))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    )
    if not is_authority:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(by_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
