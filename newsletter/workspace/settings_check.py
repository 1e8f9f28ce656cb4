"""What `config.toml` names, looked up: what would stop `send` later is said when the settings are checked."""

from __future__ import annotations

from newsletter import providers
from newsletter.audience import segments
from newsletter.audience.addresses import normalize
from newsletter.config import Cluster, Publication
from newsletter.errors import ConfigError, InputError, nearest
from newsletter.photos import read_photo
from newsletter.workspace.designing import Designing


def check_settings(space: Designing) -> None:
    """ConfigError, or the error that sending would end with, for the first setting that can't work."""
    if not space.keyring.is_missing:
        space.keyring()
    _check_segments(space)
    for name, addresses in space.config.test_lists.items():
        _check_addresses(space, name, addresses)
    for publication in space.config.publications.values():
        _check_publication(space, publication)
    used = {publication.provider for publication in space.config.publications.values()}
    for slug in space.config.providers:
        _check_provider(space, slug, used=slug in used)


def load_provider(space: Designing, slug: str) -> providers.Provider:
    """A provider that publications may use; ConfigError for one with which no list should be mailed (RFC 8058)."""
    configured = space.config.providers[slug]
    provider = providers.load(configured, space.folder)
    if not provider.list_unsubscribe:
        what = (
            f'provider "{slug}" can\'t give each reader their own List-Unsubscribe, which large mailbox providers want'
        )
        raise configured.table.error(what, hint="take another provider")
    return provider


def _check_segments(space: Designing) -> None:
    with space.store.read() as session:
        for slug in space.config.segments:
            segments.saved(space.config, slug, session)


def _check_addresses(space: Designing, name: str, addresses: tuple[str, ...]) -> None:
    for address in addresses:
        try:
            normalize(address)
        except InputError as fault:
            where = f"{space.config.path.name}: [test_lists] {name}"
            raise ConfigError(f'"{address}": {fault.what}', where=where) from None


def _check_publication(space: Designing, publication: Publication) -> None:
    logos = [publication.brand.logo, publication.partner.logo if publication.partner else None]
    for logo in filter(None, logos):
        read_photo(space.folder / logo, space.folder)
    name, known = publication.template or publication.slug, space.templates()
    if name not in known:
        hint = nearest(name, known) or f"there are {', '.join(known)}; newsletter templates copy NAME makes another"
        where = f"{space.config.path.name}: [publications.{publication.slug}]"
        raise ConfigError(f'no template "{name}" in templates/email', where=where, hint=hint)


def _check_provider(space: Designing, slug: str, *, used: bool) -> None:
    provider = load_provider(space, slug)
    try:
        if used:
            provider.route()
        dead_after = space.config.cluster.dead_after
        # On SQLite, one process sends: only who sets it there is told.
        matters = not space.store.is_sqlite or dead_after != Cluster().dead_after
        if matters and provider.timeout >= dead_after:
            what = f'"dead_after" must be longer than the "timeout" of {slug}, {provider.timeout:g} seconds'
            raise ConfigError(what, where=f"{space.config.path.name}: [cluster]")
    finally:
        provider.close()
