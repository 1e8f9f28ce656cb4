"""DKIM signatures (RFC 6376) for mail that goes to a server which doesn't sign itself."""

from __future__ import annotations

from pathlib import Path

from newsletter.errors import ConfigError

#: What is signed wherever it's there. One-click unsubscribing has to be covered (RFC 8058, section 4); From is named
#: twice, so that nobody can add a second.
_HEADERS = (
    *(b"from", b"from", b"to", b"reply-to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"),
)


class Signer:
    """Signs messages for a domain; `key` is an RSA private key in PEM, its public half is in the DNS under
    `<selector>._domainkey.<domain>`.
    """

    def __init__(self, domain: str, selector: str, key: bytes) -> None:
        self._domain, self._selector, self._key = domain.encode("idna"), selector.encode(), key
        self.signed(b"From: a@example.org\r\n\r\n\r\n")  # a wrong key is told before anything is sent

    @classmethod
    def from_file(cls, domain: str, selector: str, path: Path) -> Signer:
        """With the key of a file; ConfigError where it can't be read."""
        try:
            return cls(domain, selector, path.read_bytes())
        except OSError as fault:
            raise ConfigError(f"can't read the DKIM key: {fault.strerror}", where=path) from None
        except ConfigError as fault:
            raise ConfigError(fault.what, where=path, hint=fault.hint) from None

    def signed(self, message: bytes) -> bytes:
        """The message (with CRLF line ends) with its DKIM-Signature on top."""
        try:
            import dkim
        except ImportError:
            hint = "pip install 'newsletter-desk[dkim]'"
            raise ConfigError("DKIM needs the package dkimpy", hint=hint) from None
        head = message.partition(b"\r\n\r\n")[0].lower()
        present = {line.partition(b":")[0] for line in head.split(b"\r\n")}
        names = [name for name in _HEADERS if name in present]
        try:
            signature: bytes = dkim.sign(
                message,
                self._selector,
                self._domain,
                self._key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=names,
            )
        except (dkim.DKIMException, ValueError, IndexError, TypeError):
            what, hint = "the DKIM key can't be used", "it has to be an RSA private key in PEM"
            raise ConfigError(what, hint=hint) from None
        return signature + message
