"""What is said where one head was meant and the history has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.commands._database import Project
from stillroom.core.heads import Chain, Fork, Link, find_chain, find_labels, find_parting
from stillroom.core.plan import HEAD, HEADS, join_or_run, plan_upgrade
from stillroom.edges.scripts import read_created
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.settings import Settings


def require_one_head(settings: Settings, project: Project, current: tuple[str, ...], target: str) -> None:
    """Refuse to choose between heads; with all of them applied there is nothing to choose.

    Raises:
        RefusedError: Several, and something is pending; both chains are shown with dates and authors.
    """
    heads = project.history.heads
    if target != HEAD or len(heads) < 2 or not plan_upgrade(project.history, current, HEADS).steps:
        return
    raise RefusedError(read_fork(settings, project).text("nothing was run"), hint=join_or_run(len(heads)))


def read_fork(settings: Settings, project: Project) -> Fork:
    """Gather the chain to each head, with what the files and git say of each revision.

    Raises:
        RefusedError: A file cannot be read.
    """
    from stillroom.edges.git_log import Added, read_added
    from stillroom.edges.git_reading import Git

    history = project.history
    chains = {head: find_chain(history, head) for head in history.heads}
    git = Git(settings.root, settings.child_environment)
    problem = git.find_problem()
    paths = [history.revisions[each].path for chain in chains.values() for each in chain]
    added = {} if problem or not paths else read_added(git, paths)

    def link(revision: str) -> Link:
        script = history.revisions[revision]
        known = added.get(script.path, Added())
        author = known.author or problem or ("a shallow clone" if known.is_cut else "not committed")
        created = read_created(project.layout, script.path, known.at)
        return Link(revision, script.message, created, author, script.path)

    return Fork(
        find_parting(history),
        tuple(
            Chain(head, find_labels(history, chain), tuple(link(each) for each in chain))
            for head, chain in chains.items()
        ),
    )
