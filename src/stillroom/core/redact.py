"""Mask the secrets of the settings in any text, and leave the sentence readable.

Two rules, because a password may be any word:

1. *By place.* What stands between user and `@` of a URL, and behind `password=`, is masked whatever it is, also before
   the settings are known. The word `password` itself stays: the examples in our hints are written with it.
2. *By value.* A secret is masked wherever it stands, in every spelling an error may show it in (raw, percent-encoded,
   escaped), and so is each part of 4 or more characters that a parser which cuts at `@ : / ? # %` or a blank would show.
   From 8 characters on with one that is no letter, or from 16, also inside of longer words; else as a whole word only.

Not masked by value are secrets of fewer than 4 characters or of up to 7 digits (a year, a port), those equal to a name
that is shown anyway (user, host, database), and words our own sentences are made of (`postgres`, `migrate`): "*** on
db:5432" would be of no use, and would say what the password is where the word alone says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

MASK = "***"
SHORTEST = 4
TELLING, LONG = 8, 16
SECRET_OPTIONS = frozenset({"sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})
IN_URL = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{0,30}://[^\s:@/]{0,200}:)(?!password@|\*\*\*@)(\S{1,2000})@")
IN_WORDS = re.compile(r"(?i)((?<![a-z])(?:pg|ssl)?password=)(?!password\b|\*\*\*)('(?:[^'\\]|\\.)*'|[^\s'&]+)")
CUTS = re.compile(r"[@:/?#&%+\s'\"\\\[\]{}$=,;]+")
_OUR_WORDS = """
access admin applied apply authentication backup backups base branch change check client column columns commit config
connect connection connections current data database databases default denied development different directory does done
down downgrade drop dump empty environment error example exist exists exit failed file files folder found from have head
heads hint history home host import index initial interrupted invoke left line local localhost lock lost main mark
master match merge message migrate migration migrations missing model models name names need newer none note nothing
number older open other owner pass password pending permission pg_dump pg_restore plan port postgres postgresql process
prod production program project protected public read refused relation reset restore revision revisions role rollback
root rows running same schema script seconds sequence server session setting settings shown some stage staging stamp
stamped started status step steps stillroom stop syntax system table tables target temp test tests that them there this
timeout touched type under undone unknown upgrade user users value values version wait waiting where which with without
work write written
"""
OUR_WORDS = frozenset(_OUR_WORDS.split())


@dataclass(frozen=True)
class Redactor:
    """What masks known secrets.

    Args:
        secrets: Passwords and the like, as they are.
        public: Names that are shown anyway.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    public: frozenset[str] = frozenset()

    def mask(self, text: str) -> str:
        """Return the text with `***` in the place of every secret."""
        text = IN_WORDS.sub(rf"\1{MASK}", IN_URL.sub(rf"\1{MASK}@", text))
        return self._pattern.sub(lambda found: found[0] if found.lastgroup else MASK, text) if self.secrets else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Names and secrets, the longest first: a secret that begins with the user's name is still a secret."""
        shown = {each.casefold() for each in self.public} | OUR_WORDS
        hidden = {each for secret in self.secrets for each in _parts(secret) if each.casefold() not in shown}
        both = [(each, True) for each in self.public if each] + [(each, False) for each in hidden]
        both.sort(key=lambda pair: (-len(pair[0]), pair))
        forms = [
            f"(?P<name{index}>{_as_word(each, re.escape(each))})" if is_name else _form(each)
            for index, (each, is_name) in enumerate(both)
        ]
        return re.compile("|".join(forms) or r"(?!)")


def redactor_for(*urls: DatabaseUrl | None) -> Redactor:
    """Gather what must not be seen of some databases, and what is seen of them."""
    secrets, public = [], set()
    for url in filter(None, urls):
        secrets += [url.password.reveal()] if url.password is not None else []
        secrets += [value for name, value in url.options if name in SECRET_OPTIONS]
        public |= {url.user, url.name, *url.host.split(",")}
    return Redactor(tuple(dict.fromkeys(secrets)), frozenset(public - {""}))


def _parts(secret: str) -> Iterator[str]:
    """Yield the secret and what is left of it where a parser cuts: the single parts, each beginning, each end."""
    found = {secret, *CUTS.split(secret)}
    for cut in CUTS.finditer(secret):
        found |= {secret[: cut.start()], secret[cut.end() :]}
    return (each for each in found if len(each) >= (TELLING if each.isdigit() else SHORTEST))


def _form(secret: str) -> str:
    """Match every spelling of a secret; a short one, and one of letters only, as a whole word."""
    spelt = "".join(_spellings(char) for char in secret)
    tells = len(secret) >= TELLING and not secret.isalpha()
    return spelt if tells or len(secret) >= LONG else _as_word(secret, spelt)


def _as_word(text: str, pattern: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", text) else ""
    return f"{before}{pattern}" + (r"(?!\w)" if re.search(r"\w$", text) else "")


def _spellings(char: str) -> str:
    """Match one character raw, percent-encoded, or escaped as JSON, Python, SQL, shells and password files do."""
    if char.isascii() and char.isalnum():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    as_json = "".join(f"\\u{units[start : start + 2].hex()}" for start in range(0, len(units), 2))
    spelt = {char, f"\\{char}", as_json, char.encode("unicode_escape").decode()}
    spelt |= {char * 2} if char in "'\"\\" else {"+"} if char == " " else set()
    encoded = "".join(f"%{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    return f"(?:(?i:{encoded})|{'|'.join(re.escape(each) for each in sorted(spelt, key=len, reverse=True))})"
