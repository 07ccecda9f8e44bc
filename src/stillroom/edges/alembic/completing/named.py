"""A type that SQLAlchemy does not know, by the name that the server gives it: ltree, vector(3), geometry(Point,4326)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import UserDefinedType


class Named(UserDefinedType[Any]):
    """Stands in the place of "no type" for a column that was read from the database."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """Write it as the server does."""
        return self.spec

    def is_other(self, model: Any) -> bool:
        """Say whether the models have it with other parameters; another type altogether cannot be told from another spelling."""
        spec = getattr(model, "get_col_spec", None)
        if spec is None:
            return False
        live, wanted = (_split(each) for each in (self.spec, str(spec())))
        return live[0] == wanted[0] and live[1] != wanted[1]


def _split(spec: str) -> tuple[str, str]:
    name, _, parameters = spec.lower().replace(" ", "").partition("(")
    return name.rpartition(".")[2], parameters
