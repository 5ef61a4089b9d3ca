"""Settings of the learning manager, read from the environment.

Nothing here touches the disk: `load` only works out where things are, and
`Settings.prepare` makes the data folder when somebody is about to use it.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Mapping, Optional

APP_NAME = "lernmanager"
DATABASE_NAME = "lernmanager.sqlite3"
DEVELOPMENT_KEY = "development-only-not-a-secret"

log = logging.getLogger(APP_NAME)


class ConfigError(RuntimeError):
    """A setting that cannot be used, with a message for the administrator."""


@dataclass(frozen=True)
class Settings:
    """Everything that an installation may adjust."""

    data_dir: Path
    secret_key: str = DEVELOPMENT_KEY
    session_hours: int = 12
    static_max_age: Optional[int] = None
    max_upload_kib: int = 512
    analytics: bool = True
    analytics_batch: int = 50
    analytics_interval: float = 2.0
    login_attempts: int = 5
    login_window: float = 300.0
    secure_cookies: bool = False

    @property
    def database(self) -> Path:
        """The SQLite file that holds all data."""
        return self.data_dir / DATABASE_NAME

    @property
    def uses_development_key(self) -> bool:
        """Whether sessions are signed with the key that everybody knows."""
        return self.secret_key == DEVELOPMENT_KEY

    def prepare(self) -> None:
        """Create the data folder, private to the user who runs the server."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"cannot create the data folder {self.data_dir}: {error.strerror}; "
                "set LERNMANAGER_DATA to a folder that can be written"
            ) from error

    def flask_config(self) -> dict[str, Any]:
        """The part of the settings that Flask itself understands."""
        return {
            "SECRET_KEY": self.secret_key,
            "MAX_CONTENT_LENGTH": self.max_upload_kib * 1024,
            "PERMANENT_SESSION_LIFETIME": timedelta(hours=self.session_hours),
            "SEND_FILE_MAX_AGE_DEFAULT": self.static_max_age,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_NAME": f"{APP_NAME}_session",
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_SECURE": self.secure_cookies,
        }

    def with_data_dir(self, folder: os.PathLike[str]) -> Settings:
        """The same settings for another data folder."""
        return replace(self, data_dir=Path(folder))


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where data lives: LERNMANAGER_DATA, or the user's state folder."""
    chosen = environ.get("LERNMANAGER_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    state = environ.get("XDG_STATE_HOME")
    if state and os.path.isabs(state):
        return Path(state) / APP_NAME
    return Path.home() / ".local" / "state" / APP_NAME


def load(environ: Optional[Mapping[str, str]] = None) -> Settings:
    """Read the settings from `environ`, by default the process environment."""
    env = os.environ if environ is None else environ
    defaults = Settings(data_dir=default_data_dir(env))
    max_age = _number(env, "LERNMANAGER_STATIC_MAX_AGE", -1, lowest=-1)
    return replace(
        defaults,
        secret_key=env.get("SECRET_KEY") or DEVELOPMENT_KEY,
        session_hours=_number(
            env, "LERNMANAGER_SESSION_HOURS", defaults.session_hours, lowest=1
        ),
        static_max_age=None if max_age < 0 else max_age,
        max_upload_kib=_number(
            env, "LERNMANAGER_MAX_UPLOAD_KIB", defaults.max_upload_kib, lowest=1
        ),
        analytics=_switch(env, "LERNMANAGER_ANALYTICS", defaults.analytics),
        analytics_batch=_number(
            env, "LERNMANAGER_ANALYTICS_BATCH", defaults.analytics_batch, lowest=1
        ),
        secure_cookies=_switch(
            env, "LERNMANAGER_SECURE_COOKIES", defaults.secure_cookies
        ),
    )


def configure_logging(environ: Optional[Mapping[str, str]] = None) -> None:
    """Send log lines to stderr at the level named by LERNMANAGER_LOG."""
    env = os.environ if environ is None else environ
    name = env.get("LERNMANAGER_LOG", "INFO").upper()
    level = getattr(logging, name, None)
    if not isinstance(level, int):
        raise ConfigError(f"LERNMANAGER_LOG={name} is not a log level")
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )


def _number(env: Mapping[str, str], name: str, default: int, lowest: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise ConfigError(f"{name}={text} is not a whole number") from None
    if value < lowest:
        raise ConfigError(f"{name}={value} is below {lowest}")
    return value


def _switch(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ConfigError(f"{name}={text} is neither on nor off")
