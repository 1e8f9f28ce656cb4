"""What the providers' tests share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import botocore.loaders
import botocore.session
import pytest


@pytest.fixture(scope="session", autouse=True)
def _aws_descriptions_once() -> Iterator[None]:
    """botocore reads its descriptions of AWS anew for each client, which takes as long as twenty tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.loaders, "create_loader", cache(botocore.loaders.create_loader))
        yield
