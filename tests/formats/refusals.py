"""Error messages of refused calls, for tests that go through a table of them."""

from collections.abc import Callable
from typing import Any

Errors = type[Exception] | tuple[type[Exception], ...]


def refusal(error: Errors, call: Callable[..., Any], *arguments, longest: int = 300, **named) -> str:
    """Return the message of the error that the call must raise: one line of fewer than `longest` characters.

    Raises AssertionError, which names the arguments, if the call does not raise such an error.
    """
    try:
        result = call(*arguments, **named)
    except error as caught:
        message = str(caught)
        if "\n" in message or len(message) >= longest:
            raise AssertionError(f"{_shown(arguments, named)} has no message of one line: {message}") from caught
        return message
    except Exception as caught:
        raise AssertionError(f"{_shown(arguments, named)} raised {type(caught).__name__}: {caught}") from caught
    raise AssertionError(f"{_shown(arguments, named)} was not refused, and gave {result!r:.200}")


def not_from(start: str, messages: dict[str, str]) -> dict[str, str]:
    """Return the messages, by the name of the case, that do not begin with `start`."""
    return {given: message for given, message in messages.items() if not message.startswith(start)}


def _shown(arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    return f"{arguments!r:.200} {named!r:.200}"
