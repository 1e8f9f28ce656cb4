"""What a browser may load for a page of the archive (Content Security Policy, https://www.w3.org/TR/CSP3).

A page says it itself, in a meta element, so that it holds wherever the files are served from. What only a server can
say, `frame-ancestors`, is in docs/publish.md.
"""

from __future__ import annotations

_BASE = "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'self'"
#: Scripts and styles are files of the archive; nothing that stands in a page runs.
PAGE = f"{_BASE}; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'"
#: Pagefind's search is WebAssembly, in a worker.
SEARCH = f"{_BASE}; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; worker-src 'self'"
#: Mail has its styles in itself, and runs nothing.
MAILED = f"{_BASE}; style-src 'unsafe-inline'"
