"""An S3-compatible bucket as the place of an archive, with the extra `newsletter-desk[s3]`.

Only what changed goes up. What is to go up is written into the record first, so that a publish that was interrupted
can be finished, and nothing of it is left behind; at the end the record holds what is there, by content and ETag.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from newsletter.config import S3
from newsletter.errors import InputError, PublishError
from newsletter.publish.destinations.files import RECORD, Put, cache_control, files_of, media_type, rank

_URL = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?")
_AT_ONCE = 8
#: What a file at the destination was made of (its digest) and its ETag; None while it may be half up.
Record = Mapping[str, tuple[str, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A file to be, with its headers; `digest` is of all of it, `md5` of the content, as S3 makes plain ETags."""

    path: str
    source: Path
    type: str
    cache: str
    digest: str
    md5: str

    @classmethod
    def of(cls, path: str, source: Path, seconds: int) -> _File:
        data = source.read_bytes()
        kind, cache = media_type(path), cache_control(path, seconds)
        digest = hashlib.sha256(data)
        digest.update(f"\n{kind}\n{cache}".encode())
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        return cls(path=path, source=source, type=kind, cache=cache, digest=digest.hexdigest(), md5=md5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The keys of a bucket that begin with a `prefix`, empty or ending in a slash; `client` is boto3's."""

    client: Any = field(repr=False)
    name: str
    prefix: str = ""
    cache_seconds: int = 300

    @classmethod
    def of(cls, url: str, config: S3) -> Bucket:
        """The bucket of `s3://bucket/prefix`; keys come from the environment or AWS's own files."""
        match = _URL.fullmatch(url)
        if match is None:
            raise InputError(f'"{url}" is no bucket', hint="--to s3://bucket/prefix")
        prefix = (match["prefix"] or "").strip("/")
        return cls(
            client=_client(config),
            name=match["bucket"],
            prefix=f"{prefix}/" if prefix else "",
            cache_seconds=config.cache_seconds,
        )

    def put(self, folder: Path) -> Put:
        """Upload what changed, then take away what an earlier publish put there and this one hasn't."""
        with self._explained():
            files = {path: _File.of(path, source, self.cache_seconds) for path, source in files_of(folder).items()}
            there = self._there()
            record = self._record(there)
            stale = [file for path, file in files.items() if not _is_up(file, there.get(path), record.get(path))]
            dropped = [path for path in record if path not in files]
            done = Put(written=len(stale), unchanged=len(files) - len(stale))
            if stale or dropped:
                self._write_record({**record, **dict.fromkeys(file.path for file in stale)})
                tags = self._upload(stale, there)
                done.removed = self._remove([path for path in dropped if path in there])
                known = {path: (file.digest, tags.get(path) or there[path]) for path, file in files.items()}
                self._write_record(known)
        done.note = f"At s3://{self.name}/{self.prefix}."
        return done

    def _there(self) -> dict[str, str]:
        """The ETag of every key under the prefix, by its path."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix)
        found = (thing for page in pages for thing in page.get("Contents", ()))
        return {thing["Key"].removeprefix(self.prefix): thing["ETag"].strip('"') for thing in found}

    def _record(self, there: Mapping[str, str]) -> Record:
        """What was put here before; a place with other things in it is never taken over."""
        if RECORD in there:
            body = self.client.get_object(Bucket=self.name, Key=self.prefix + RECORD)["Body"].read()
            try:
                return {path: tuple(known) if known else None for path, known in json.loads(body).items()}
            except (ValueError, AttributeError, TypeError):
                raise PublishError("can't be read", where=f"s3://{self.name}/{self.prefix}{RECORD}") from None
        if there:
            hint = "give an empty prefix: --to s3://bucket/prefix"
            raise PublishError("is not an archive of ours", where=f"s3://{self.name}/{self.prefix}", hint=hint)
        return {}

    def _write_record(self, record: Record) -> None:
        body = json.dumps(record, indent=0, sort_keys=True).encode()
        self._put_object(RECORD, body, "application/json", "no-store")

    def _upload(self, stale: Iterable[_File], there: Mapping[str, str]) -> dict[str, str]:
        """Upload in an order in which nothing leads to what isn't up; gives each file's ETag."""

        def order(file: _File) -> int:
            return rank(file.path, new=file.path not in there)

        def upload(file: _File) -> tuple[str, str]:
            return file.path, self._put_object(file.path, file.source.read_bytes(), file.type, file.cache)

        tags: dict[str, str] = {}
        for _, batch in groupby(sorted(stale, key=order), order):
            tags.update(_at_once(upload, batch))
        return tags

    def _put_object(self, path: str, body: bytes, kind: str, cache: str) -> str:
        key = self.prefix + path
        answer = self.client.put_object(Bucket=self.name, Key=key, Body=body, ContentType=kind, CacheControl=cache)
        return str(answer["ETag"]).strip('"')

    def _remove(self, paths: Iterable[str]) -> int:
        """Take pages away before what they show; how many files that were."""
        gone = sorted(paths, key=lambda path: not path.endswith(".html"))

        def remove(path: str) -> None:
            self.client.delete_object(Bucket=self.name, Key=self.prefix + path)

        for _, batch in groupby(gone, lambda path: path.endswith(".html")):
            _at_once(remove, batch)
        return len(gone)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what boto3 raises into one line without keys in it."""
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        where = f"s3://{self.name}/{self.prefix}"
        try:
            yield
        except NoCredentialsError:
            hint = "set $AWS_ACCESS_KEY_ID and $AWS_SECRET_ACCESS_KEY"
            raise PublishError("there are no keys for the bucket", where=where, hint=hint) from None
        except ClientError as fault:
            told = fault.response.get("Error", {})
            why = " ".join(filter(None, (told.get("Code"), told.get("Message"))))
            passing = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
            hint = "publish again, and it goes on" if passing else "look at its name, and at what the keys allow"
            raise PublishError(f"the bucket refused: {why[:200]}", where=where, hint=hint) from None
        except BotoCoreError as fault:
            what = f"the bucket gave no answer: {type(fault).__name__}"
            raise PublishError(what, where=where, hint="publish again, and it goes on") from None


def _is_up(file: _File, tag: str | None, known: tuple[str, str] | None) -> bool:
    """Whether a file is there as it's to be. What may be half up counts as up when its content is."""
    return tag == file.md5 if known is None else known == (file.digest, tag)


def _at_once(act: Callable[[Any], Any], things: Iterable[Any]) -> list[Any]:
    """Do something with each of the things, some at a time; when one fails, those that haven't begun are left."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [pool.submit(act, thing) for thing in things]
        try:
            return [each.result() for each in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _client(config: S3) -> Any:
    try:
        import boto3
        from botocore.config import Config as BotoConfig
    except ImportError:
        hint = 'pip install "newsletter-desk[s3]"'
        raise PublishError("publishing into a bucket needs boto3", hint=hint) from None
    elsewhere = config.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    settings = BotoConfig(
        connect_timeout=10,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        # Services other than AWS's own know their buckets by path, and not every checksum.
        s3={"addressing_style": "path"} if elsewhere else None,
        request_checksum_calculation="when_required" if elsewhere else None,
        response_checksum_validation="when_required" if elsewhere else None,
    )
    region = config.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return boto3.client("s3", endpoint_url=config.endpoint or None, region_name=region, config=settings)
