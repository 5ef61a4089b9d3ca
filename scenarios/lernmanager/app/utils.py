"""What the routes share: sessions, CSRF, text rendering, CSV, quiz notation."""

from __future__ import annotations

import csv
import functools
import hmac
import io
import re
import secrets
import threading
import time
import unicodedata
from collections import deque
from datetime import date, datetime
from typing import Any, Callable, Iterable, NamedTuple, Optional, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from markupsafe import Markup, escape

from models import DataError, NewQuestion, Report, User

View = TypeVar("View", bound=Callable[..., Any])

# --------------------------------------------------------------------------
# Access


def roles_required(*roles: str) -> Callable[[View], View]:
    """Let a route be used by these roles only; by any user if none is named."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if g.user is None:
                return redirect(url_for("auth.login", next=request.full_path))
            if roles and g.user.role not in roles:
                abort(403)
            return view(*args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def safe_target(target: Optional[str]) -> Optional[str]:
    """A path to return to after logging in, unless it leads to another site."""
    if not target or not target.startswith("/"):
        return None
    if any(ord(character) < 33 or character == "\\" for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def csrf_token() -> str:
    """The token that every form of this session carries."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return session["csrf"]


def check_csrf() -> None:
    """Refuse a request that changes something without the session's token."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    sent = request.form.get("csrf") or request.headers.get("X-CSRF-Token", "")
    expected = session.get("csrf", "")
    if not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        abort(400, "The form has expired. Go back, reload the page and try again.")


def sign_in(user: User) -> None:
    """Start a new session, so that nothing of the old one is left."""
    session.clear()
    session.permanent = True
    session["user_id"] = user.id


class LoginThrottle:
    """Slows down guessing: a few failures for each name within a while."""

    def __init__(self, attempts: int, window: float) -> None:
        self.attempts = attempts
        self.window = window
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def blocked(self, name: str) -> bool:
        with self._lock:
            return len(self._recent(name)) >= self.attempts

    def failed(self, name: str) -> None:
        with self._lock:
            recent = self._recent(name)
            recent.append(time.monotonic())
            self._failures[name] = recent

    def succeeded(self, name: str) -> None:
        with self._lock:
            self._failures.pop(name, None)

    def _recent(self, name: str) -> deque[float]:
        recent = self._failures.get(name, deque())
        while recent and recent[0] < time.monotonic() - self.window:
            recent.popleft()
        if not recent:
            self._failures.pop(name, None)
        return recent


# --------------------------------------------------------------------------
# Text

_CODE = re.compile(r"`([^`]+)`")
_INLINE = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<!\*)\*(?=\S)([^*]+?)(?<=\S)\*"), r"<em>\1</em>"),
    (
        re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)"),
        r'<a href="\2" rel="noopener noreferrer">\1</a>',
    ),
)
_HEADING = re.compile(r"(#{1,3})\s+(.+)")
_ITEM = re.compile(r"(?:[-*]|(\d+)[.)])\s+(.+)")


def render_inline(text: str) -> str:
    """Escape a line and turn its marks into HTML."""
    # Every other part stood between backticks and is left alone.
    parts = _CODE.split(str(escape(text)))
    for index, part in enumerate(parts):
        if index % 2:
            parts[index] = f"<code>{part}</code>"
            continue
        for pattern, replacement in _INLINE:
            parts[index] = pattern.sub(replacement, parts[index])
    return "".join(parts)


def render_text(text: Optional[str]) -> Markup:
    """Turn headings, lists, code blocks and paragraphs into HTML."""
    parts: list[str] = []
    for block in _blocks(text or ""):
        if block[0].startswith("```"):
            code = escape("\n".join(block[1:]))
            parts.append(f"<pre><code>{code}</code></pre>")
        elif _HEADING.fullmatch(block[0]):
            heading = _HEADING.fullmatch(block[0])
            assert heading is not None
            level = len(heading[1]) + 2
            parts.append(f"<h{level}>{render_inline(heading[2])}</h{level}>")
        elif _ITEM.fullmatch(block[0]):
            first = _ITEM.fullmatch(block[0])
            tag = "ol" if first and first[1] else "ul"
            matches = (_ITEM.fullmatch(line) for line in block)
            items = "".join(f"<li>{render_inline(m[2])}</li>" for m in matches if m)
            parts.append(f"<{tag}>{items}</{tag}>")
        else:
            parts.append(f"<p>{'<br>'.join(map(render_inline, block))}</p>")
    return Markup("\n".join(parts))


def _blocks(text: str) -> Iterable[list[str]]:
    """Group lines that belong together: a list, a paragraph, a code block."""
    block: list[str] = []
    kind = ""
    for line in text.splitlines():
        if kind == "code":
            if line.strip() == "```":
                yield block
                block, kind = [], ""
            else:
                block.append(line)
            continue
        line = line.strip()
        if line.startswith("```"):
            found = "code"
        elif _HEADING.fullmatch(line):
            found = "heading"
        elif _ITEM.fullmatch(line):
            found = "list"
        else:
            found = "text" if line else ""
        if block and (found != kind or found in {"heading", "code"}):
            yield block
            block = []
        if found:
            block.append(line)
        kind = found
    if block:
        yield block


def format_day(value: Optional[date]) -> str:
    """A date with its distance from today, as people speak of it."""
    if value is None:
        return "no due date"
    days = (value - date.today()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in near:
        return near[days]
    if abs(days) <= 14:
        return f"{-days} days ago" if days < 0 else f"in {days} days"
    return f"{value.day} {value:%B %Y}"


def format_moment(stamp: str) -> str:
    """A stored time stamp as day and minute (UTC)."""
    return f"{datetime.strptime(stamp[:16], '%Y-%m-%dT%H:%M'):%d.%m.%Y %H:%M}"


def lines_of(text: str) -> list[str]:
    """The non-empty lines of a text area, each once, in their order."""
    cleaned = (" ".join(line.split()) for line in text.splitlines())
    return list(dict.fromkeys(line for line in cleaned if line))


def parse_quiz(text: str) -> list[NewQuestion]:
    """Read the notation in which teachers write quizzes.

    A line without a mark is a question; `+` starts a correct choice, `-` a
    wrong one, `>` the explanation shown afterwards.
    """
    questions: list[NewQuestion] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        mark, line = raw.strip()[:1], raw.strip()
        rest = line[1:].strip()
        if not line:
            continue
        if mark not in {"+", "-", ">"}:
            questions.append(NewQuestion(line, ()))
        elif not questions:
            raise DataError(f"line {number}: a question must come first")
        elif not rest:
            raise DataError(f"line {number}: nothing after “{mark}”")
        elif mark == ">":
            questions[-1] = questions[-1]._replace(explanation=rest)
        else:
            choices = questions[-1].choices + ((rest, mark == "+"),)
            questions[-1] = questions[-1]._replace(choices=choices)
    return questions


# --------------------------------------------------------------------------
# CSV


class StudentRow(NamedTuple):
    """A line of a class list; an empty password asks for a random one."""

    username: str
    display_name: str
    password: str


def read_students(text: str) -> list[StudentRow]:
    """Read a class list: name, and optionally user name and password."""
    text = text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if "name" not in reader.fieldnames:
        raise DataError("the first line must name the columns, one of them “name”")
    rows = []
    for record in reader:
        cells = {key: (value or "").strip() for key, value in record.items() if key}
        if not any(cells.values()):
            continue
        if not cells["name"]:
            raise DataError(f"line {reader.line_num}: the name is missing")
        rows.append(
            StudentRow(
                cells.get("username") or username_from(cells["name"]),
                cells["name"],
                cells.get("password", ""),
            )
        )
    if not rows:
        raise DataError("the list has no students")
    return rows


def username_from(name: str) -> str:
    """“Zoë Müller” becomes zoe.mueller."""
    text = name.lower()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", ".", text).strip(".")[:32]


def random_password() -> str:
    """A password that can be read out in class."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


def report_csv(report: Report) -> str:
    """The report of a class as CSV; no cell can act as a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    head = ["name", "username", "progress", "submitted", "tasks", "overdue", "grade"]
    writer.writerow(head + [_cell(quiz.title) for quiz in report.quizzes])
    for line in report.lines:
        grade = "" if line.average_grade is None else f"{line.average_grade:.1f}"
        scores = [line.best_scores.get(quiz.id, "") for quiz in report.quizzes]
        student = (_cell(line.student.display_name), line.student.username)
        counts = (line.progress, line.submitted, line.tasks, line.overdue)
        writer.writerow([*student, *counts, grade, *scores])
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t"} else text


def csv_response(text: str, name: str) -> Response:
    """A download with a name that every browser accepts."""
    plain = username_from(name) or "download"
    headers = {"Content-Disposition": f'attachment; filename="{plain}.csv"'}
    return Response(text, mimetype="text/csv", headers=headers)


def register_filters(app: Flask) -> None:
    """Make the helpers above known to the templates."""
    app.jinja_env.filters.update(
        text=render_text,
        inline=lambda text: Markup(render_inline(text)),
        day=format_day,
        moment=format_moment,
    )
    app.jinja_env.globals["csrf_token"] = csrf_token
