"""The REST API: what Fundwatch knows, for programs. `install(server, stores)` puts it on a server."""

from api.server import install

__all__ = ["install"]
