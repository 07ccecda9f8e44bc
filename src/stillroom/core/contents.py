"""What a database held in the moment of a backup, so that a restored copy can be compared with it exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

OWN_SCHEMA = "stillroom"


@dataclass(frozen=True)
class TableRows:
    """The rows of a table, without those of its children.

    Args:
        schema: Its schema.
        name: Its name.
        rows: How many.
        hash: A sum over the hashes of all rows, in whatever order they are read; empty where none was taken.
    """

    schema: str
    name: str
    rows: int
    hash: str = ""


@dataclass(frozen=True)
class SequenceValue:
    """A sequence as it was before the dump began: later values may be in the dump, earlier ones may not.

    Args:
        name: With its schema, quoted.
        last_value: None before its first use, or where the role may not read it.
        increment: Below 0 for one that counts down.
        cycles: It begins again at its end, so that later values may be smaller.
    """

    name: str
    last_value: int | None
    increment: int
    cycles: bool


@dataclass(frozen=True)
class LargeObjects:
    """The large objects: how many, and where rows were hashed also how many bytes and a sum over their hashes."""

    count: int = 0
    size_bytes: int = 0
    hash: str = ""


@dataclass(frozen=True)
class ObjectMark:
    """A table, view, type, function and so on: a digest over everything that it is made of, whoever owns it."""

    kind: str
    name: str
    digest: str


@dataclass(frozen=True)
class Right:
    """Whose an object is, and who may do what with it, as `grantee=privileges` joined by blanks."""

    kind: str
    name: str
    owner: str
    grants: str


@dataclass(frozen=True)
class Extension:
    """An extension and its version."""

    name: str
    version: str


@dataclass(frozen=True)
class DatabaseSetting:
    """A setting of the database, for one role or for all (role is None)."""

    role: str | None
    name: str
    value: str


@dataclass(frozen=True)
class DatabaseGrant:
    """What a role (None: everyone) may do with the database as a whole."""

    role: str | None
    privilege: str
    is_grantable: bool


@dataclass(frozen=True)
class Belongings:
    """What belongs to a database and is in no dump of it.

    Args:
        settings: `ALTER DATABASE … SET`, `ALTER ROLE … IN DATABASE … SET`.
        grants: None where nobody has changed the server's default.
        connection_limit: -1 for none.
        comment: None for none.
    """

    settings: tuple[DatabaseSetting, ...] = ()
    grants: tuple[DatabaseGrant, ...] | None = None
    connection_limit: int = -1
    comment: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where and when the snapshot was taken, for those who ask later what was written since.

    Args:
        system_identifier: Of the cluster.
        database_oid: Of the database; another one of the same name has another.
        xmax: The first transaction that the snapshot does not see, without its epoch.
        running: Those below it that were under way.
        wal_lsn: How far the server's log was; empty on a server that does not say.
        encoding: Of the database, as "UTF8".
        collation: Its LC_COLLATE, or the locale of its provider, and the version of that collation.
        size_bytes: Of the database on the server.
        owner: Of the database.
        major: The server's major version; 0 where an older stillroom did not say.
    """

    system_identifier: str = ""
    database_oid: int = 0
    xmax: int = 0
    running: tuple[int, ...] = ()
    wal_lsn: str = ""
    encoding: str = ""
    collation: str = ""
    size_bytes: int = 0
    owner: str = ""
    major: int = 0


@dataclass(frozen=True)
class Contents:
    """Everything that a restored copy is compared with, besides the rows.

    Args:
        sequences: Their values before the dump.
        large_objects: How many, and what is in them.
        objects: The schema, object by object; none where it was not read.
        rights: Owners and grants of the objects.
        default_privileges: `ALTER DEFAULT PRIVILEGES`, as text.
        extensions: With their versions.
        extension_tables: Those of extensions whose rows pg_dump takes along, some or all: they are not compared.
        roles: Every role that owns something or was granted something.
        named_roles: Those of them that the dump's own statements name, with or without owners: in policies and user mappings.
        belongings: Settings, grants and the comment of the database.
        origin: Where it was.
    """

    sequences: tuple[SequenceValue, ...] = ()
    large_objects: LargeObjects = field(default_factory=LargeObjects)
    objects: tuple[ObjectMark, ...] = ()
    rights: tuple[Right, ...] = ()
    default_privileges: tuple[str, ...] = ()
    extensions: tuple[Extension, ...] = ()
    extension_tables: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    named_roles: tuple[str, ...] = ()
    belongings: Belongings = field(default_factory=Belongings)
    origin: Origin = field(default_factory=Origin)
