"""`read_settings_file`: take settings from `.env`; name the variable of a wrong or unknown one."""

import difflib
import os
import sys

import click

from cli.display.text import printable
from database.connection.env_file import UnreadableEnvFile, is_from_file, read_env_file

#: The options of all commands as variables, and the variables that are not options.
KNOWN = {
    "YTS_ACCESS_LOG", "YTS_ALLOW_HOST", "YTS_API_KEY", "YTS_API_URL", "YTS_AUDIT",
    "YTS_BASE_PATH", "YTS_BATCH_SIZE", "YTS_CACHE_MB", "YTS_CLUSTER",
    "YTS_CLUSTER_CA", "YTS_CLUSTER_CERT", "YTS_CLUSTER_KEY", "YTS_CONNECTIONS", "YTS_CORS",
    "YTS_DATABASE_URL", "YTS_DRY_RUN", "YTS_FAILURES", "YTS_FULL", "YTS_HISTORY", "YTS_HOME",
    "YTS_HOST", "YTS_HTML", "YTS_IDS", "YTS_INTERVAL", "YTS_JSON", "YTS_LIMIT",
    "YTS_LOG_FILE", "YTS_LOG_FORMAT", "YTS_MAX_AGE", "YTS_MAX_DURATION", "YTS_MAX_ERRORS",
    "YTS_MAX_PAGES", "YTS_MAX_REQUESTS", "YTS_MODEL", "YTS_NO_DETAILS", "YTS_NO_EMBED",
    "YTS_NO_POSTERS", "YTS_ONCE", "YTS_PING", "YTS_PORT", "YTS_PROMETHEUS", "YTS_QUIET", "YTS_RATE",
    "YTS_RETRY_FAILED", "YTS_SANDBOX", "YTS_SHOW_CONFIG", "YTS_STALE_AFTER", "YTS_THREADS",
    "YTS_TIMEOUT", "YTS_UPDATE", "YTS_URLS", "YTS_VERBOSE", "YTS_WAIT_LOCK", "YTS_WORKERS",
}  # fmt: skip


def read_settings_file() -> None:
    """
    Take the variables of `.env` into the environment.

    Raises:
        click.UsageError: the file is there, but cannot be read.
    """
    try:
        read_env_file()
    except UnreadableEnvFile as error:
        raise click.UsageError(str(error)) from None


def warn_of_unknown_settings() -> None:
    """Write one line to stderr if there are `YTS_` variables that no command knows."""
    unknown = sorted(name for name in os.environ if name.startswith("YTS_") and name not in KNOWN)
    if not unknown:
        return
    named = []
    for name in unknown:
        near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.8)
        hint = f" (did you mean {near[0]}?)" if near else ""
        named.append(f"{name}{' in .env' if is_from_file(name) else ''}{hint}")
    sys.stderr.write(f"Warning: no setting of this program: {printable(', '.join(named))}\n")


def find_variable(context: click.Context, option: click.Parameter) -> str | None:
    """Return the variable that set *option*, or None if the environment did not."""
    source = context.get_parameter_source(option.name or "")
    if source is not click.core.ParameterSource.ENVIRONMENT:
        return None
    names = [option.envvar, f"{context.auto_envvar_prefix}_{(option.name or '').upper()}"]
    return next((str(name) for name in names if name and os.environ.get(str(name))), None)


def blame_variable(error: click.BadParameter, context: click.Context) -> str:
    """Return the message of *error*, with the name of the variable whose value is wrong."""
    hints = [error.param_hint] if isinstance(error.param_hint, str) else error.param_hint or ()
    for option in context.command.params:
        if option is error.param or not {*hints}.isdisjoint(option.opts):
            variable = find_variable(context, option)
            if variable is not None:
                origin = "in .env" if is_from_file(variable) else "in the environment"
                return f"Invalid value of {variable} {origin}: {error.message}"
    return error.format_message()
