"""Serve the learning manager with waitress."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import Any, NoReturn, Optional, Sequence

from waitress import create_server

import config


def terminate(*_: Any) -> NoReturn:
    """End the server when the service manager asks for it."""
    raise SystemExit(0)


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on")
    parser.add_argument(
        "--threads", type=int, default=4, help="requests answered at the same time"
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = parse_arguments(arguments)
    try:
        config.configure_logging()
        # Imported here, so that its messages already go to the log.
        from app import app
    except config.ConfigError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    server = create_server(
        app, host=options.host, port=options.port, threads=options.threads
    )
    signal.signal(signal.SIGTERM, terminate)
    config.log.info("serving on http://%s:%d", options.host, options.port)
    try:
        server.run()
    finally:
        app.analytics.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
