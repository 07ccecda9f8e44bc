"""This project's tasks: stillroom's menu, and the repository's own chores under `dev.`"""

from stillroom.tasks import ns

__all__ = ["ns"]
