"""All methods of the Web API that there are here, by name."""

from collections.abc import Mapping

from tests.standins.slack.api import chat, files, people, views
from tests.standins.slack.calls import Method

METHODS: Mapping[str, Method] = {
    method.name: method for part in (chat, files, people, views) for method in part.METHODS.all
}
