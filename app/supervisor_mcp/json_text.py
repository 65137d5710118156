"""JSON texts on their way to and from the database, as they are."""

from __future__ import annotations

from psycopg import adapters
from psycopg.adapt import AdaptersMap, Buffer, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.array import ListBinaryDumper


class Json(bytes):
    """A JSON text on its way to a `jsonb` parameter, as it is."""


class Body(bytes):
    """A JSON text on its way to a `json` parameter, as it is."""


class Bodies(list[Body]):
    """JSON texts on their way to a `json[]` parameter, as they are."""


class _JsonDumper(Dumper):
    """The binary format: it carries its length, so that a U+0000 does not end the text."""

    format = Format.BINARY
    oid = adapters.types["jsonb"].oid

    def dump(self, obj: Json) -> Buffer:
        return b"\x01" + obj


class _BodyDumper(Dumper):
    """The binary format, for the same reason."""

    format = Format.BINARY
    oid = adapters.types["json"].oid

    def dump(self, obj: Body) -> Buffer:
        return obj


class _JsonLoader(Loader):
    """Finished JSON passes through."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def own_adapters() -> AdaptersMap:
    """How values are sent and read: JSON stays text."""
    own = AdaptersMap(adapters)
    own.register_dumper(Json, _JsonDumper)
    own.register_dumper(Body, _BodyDumper)
    own.register_dumper(Bodies, ListBinaryDumper)
    own.register_loader("json", _JsonLoader)
    return own
