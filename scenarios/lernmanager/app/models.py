"""The data of the learning manager, kept in SQLite.

`Database` knows the file and its schema. `Store` is one open connection with
a repository for each kind of thing: users, classes, tasks, quizzes, reports.
Rows leave this module as dataclasses, never as raw tuples.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Mapping, NamedTuple, Optional
from typing import Sequence, TypeVar

from config import Settings, log

T = TypeVar("T")

TEACHER = "teacher"
STUDENT = "student"
ROLES = (TEACHER, STUDENT)

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
MIN_PASSWORD_LENGTH = 8

# --------------------------------------------------------------------------
# Schema

# One script in the folder of migrations for each version of the schema. A released
# script never changes: what comes later goes into a new one.
SCHEMA_VERSION = 3
MIGRATIONS = Path(__file__).with_name("migrations")


class DataError(ValueError):
    """Input that breaks a rule of the data, with a message for the user."""


class SchemaError(RuntimeError):
    """A database that this version of the program cannot use."""


class Database:
    """The SQLite file: opening it, and bringing its schema up to date."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """The database of an installation, ready to be opened."""
        settings.prepare()
        return cls(settings.database)

    def connect(self) -> sqlite3.Connection:
        """Open a connection; transactions are begun explicitly."""
        connection = sqlite3.connect(
            str(self.path), timeout=10.0, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def open(self) -> Store:
        """Open a connection and wrap it in a `Store`."""
        return Store(self.connect())

    def migrate(self) -> int:
        """Apply the missing migrations and return how many there were."""
        connection = self.connect()
        try:
            version = schema_version(connection)
            if version == SCHEMA_VERSION:
                return 0
            if version > SCHEMA_VERSION:
                raise SchemaError(
                    f"{self.path} has schema version {version}, but this program "
                    f"knows versions up to {SCHEMA_VERSION}"
                )
            connection.execute("PRAGMA journal_mode = WAL")
            with transaction(connection):
                # Another process may have been quicker.
                version = schema_version(connection)
                for number in range(version + 1, SCHEMA_VERSION + 1):
                    script = MIGRATIONS / f"{number}.sql"
                    for statement in script.read_text(encoding="utf-8").split(";"):
                        connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        finally:
            connection.close()
        log.info("database schema: version %d -> %d", version, SCHEMA_VERSION)
        return SCHEMA_VERSION - version


def schema_version(connection: sqlite3.Connection) -> int:
    """The schema version that the file declares; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit everything in the block, or nothing; may be nested."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


# --------------------------------------------------------------------------
# Passwords and clocks

SCRYPT_COST = 2**14
SCRYPT_BLOCK = 8


def hash_password(password: str) -> str:
    """Hash a password with scrypt and a fresh salt."""
    salt = os.urandom(16)
    digest = _scrypt(password, salt, SCRYPT_COST, SCRYPT_BLOCK)
    return "$".join(
        ("scrypt", str(SCRYPT_COST), str(SCRYPT_BLOCK), _encode(salt), _encode(digest))
    )


def verify_password(password: str, stored: str) -> bool:
    """Whether `password` is the one that `stored` was made from."""
    try:
        scheme, cost, block, salt, digest = stored.split("$")
        if scheme != "scrypt":
            return False
        found = _scrypt(password, base64.b64decode(salt), int(cost), int(block))
        return hmac.compare_digest(found, base64.b64decode(digest))
    except ValueError:
        return False


def _scrypt(password: str, salt: bytes, cost: int, block: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8"), salt=salt, n=cost, r=block, p=1, maxmem=2**26
    )


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def timestamp() -> str:
    """The present moment in UTC, as it is stored."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_date(text: Optional[str]) -> Optional[date]:
    """Read an ISO date; nothing stays nothing."""
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise DataError(f"“{text}” is not a date such as 2025-03-31") from None


def required(text: Optional[str], what: str, longest: int = 200) -> str:
    """A text that must not be empty, without surrounding white space."""
    value = " ".join((text or "").split())
    if not value:
        raise DataError(f"{what} is missing")
    if len(value) > longest:
        raise DataError(f"{what} is longer than {longest} characters")
    return value


# --------------------------------------------------------------------------
# Things


@dataclass(frozen=True)
class User:
    """Somebody who can log in."""

    id: int
    username: str
    display_name: str
    role: str
    active: bool

    @property
    def is_teacher(self) -> bool:
        return self.role == TEACHER


@dataclass(frozen=True)
class SchoolClass:
    """A class with the counts that an overview shows."""

    id: int
    name: str
    teacher_id: int
    students: int = 0
    tasks: int = 0
    quizzes: int = 0


@dataclass(frozen=True)
class Task:
    """A piece of work for a class; a draft until it is published."""

    id: int
    class_id: int
    title: str
    body: str
    due_on: Optional[date]
    published: bool

    def overdue(self, today: Optional[date] = None) -> bool:
        """Whether the due date has passed."""
        return self.due_on is not None and self.due_on < (today or date.today())


class NewTask(NamedTuple):
    """A task on its way in, with the wording of its steps."""

    title: str
    body: str = ""
    due_on: Optional[date] = None
    steps: Sequence[str] = ()

    def columns(self) -> dict[str, Any]:
        """What the table of tasks holds of it."""
        return {
            "title": required(self.title, "the title"),
            "body": self.body.strip(),
            "due_on": self.due_on.isoformat() if self.due_on else None,
        }


@dataclass(frozen=True)
class Subtask:
    """One step of a task, and whether the person asking has done it."""

    id: int
    task_id: int
    title: str
    done: bool = False


@dataclass(frozen=True)
class Submission:
    """A task handed in, with the teacher's grade once there is one."""

    task_id: int
    user_id: int
    display_name: str
    note: str
    submitted_at: str
    grade: Optional[int]
    feedback: str


@dataclass(frozen=True)
class TaskProgress:
    """How far one student has come with one task."""

    task: Task
    steps_done: int
    steps: int
    submitted: bool
    grade: Optional[int]

    @property
    def percent(self) -> int:
        if self.submitted:
            return 100
        return 100 * self.steps_done // self.steps if self.steps else 0

    @property
    def state(self) -> str:
        if self.grade is not None:
            return "graded"
        if self.submitted:
            return "submitted"
        if self.task.overdue():
            return "overdue"
        return "started" if self.steps_done else "open"


@dataclass(frozen=True)
class Choice:
    """One answer that a question offers."""

    id: int
    label: str
    correct: bool


@dataclass(frozen=True)
class Question:
    """A multiple-choice question; several choices may be correct."""

    id: int
    prompt: str
    explanation: str
    choices: tuple[Choice, ...]

    @property
    def correct_ids(self) -> frozenset[int]:
        return frozenset(choice.id for choice in self.choices if choice.correct)

    @property
    def several(self) -> bool:
        return len(self.correct_ids) > 1


@dataclass(frozen=True)
class Quiz:
    """A quiz; its questions are loaded only when it is taken."""

    id: int
    class_id: int
    title: str
    max_attempts: int
    pass_percent: int
    questions: tuple[Question, ...] = ()

    def score(self, chosen: Iterable[int]) -> int:
        """One point for each question answered exactly right."""
        picked = frozenset(chosen)
        points = 0
        for question in self.questions:
            offered = frozenset(choice.id for choice in question.choices)
            points += (picked & offered) == question.correct_ids
        return points


@dataclass(frozen=True)
class Attempt:
    """One finished go at a quiz."""

    id: int
    quiz_id: int
    user_id: int
    finished_at: str
    points: int
    max_points: int
    chosen: frozenset[int] = frozenset()

    @property
    def percent(self) -> int:
        return round(100 * self.points / self.max_points) if self.max_points else 0


class NewQuestion(NamedTuple):
    """A question on its way in: its choices are (label, correct) pairs."""

    prompt: str
    choices: tuple[tuple[str, bool], ...]
    explanation: str = ""

    def check(self) -> None:
        """Refuse a question that cannot be answered."""
        if len(self.choices) < 2:
            raise DataError(f"“{self.prompt}” needs at least two choices")
        if not any(correct for _, correct in self.choices):
            raise DataError(f"“{self.prompt}” has no correct choice")
        labels = [label for label, _ in self.choices]
        if len(set(labels)) != len(labels):
            raise DataError(f"“{self.prompt}” offers a choice twice")


@dataclass(frozen=True)
class ReportLine:
    """One student's line in the report of a class."""

    student: User
    submitted: int
    tasks: int
    overdue: int
    progress: int
    average_grade: Optional[float]
    best_scores: Mapping[int, int]


@dataclass(frozen=True)
class Report:
    """Progress, scores and overdue work of a class."""

    school_class: SchoolClass
    quizzes: tuple[Quiz, ...]
    lines: tuple[ReportLine, ...]

    @property
    def progress(self) -> int:
        """Mean progress of the class, in percent."""
        if not self.lines:
            return 0
        return round(sum(line.progress for line in self.lines) / len(self.lines))

    @property
    def overdue(self) -> int:
        return sum(line.overdue for line in self.lines)


# --------------------------------------------------------------------------
# Repositories


class Repository:
    """Shared access to one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def one(self, query: str, *values: Any) -> Optional[sqlite3.Row]:
        return self.connection.execute(query, values).fetchone()

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self.connection.execute(query, values).fetchall()

    def many(self, kind: Callable[..., T], query: str, *values: Any) -> list[T]:
        return [kind(**dict(row)) for row in self.all(query, *values)]

    def maybe(self, kind: Callable[..., T], query: str, *values: Any) -> Optional[T]:
        row = self.one(query, *values)
        return kind(**dict(row)) if row else None

    def change(self, table: str, row_id: int, **values: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        query = f"UPDATE {table} SET {names} WHERE id = ?"
        self.connection.execute(query, (*values.values(), row_id))

    def insert(self, table: str, **values: Any) -> int:
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
        )
        return int(cursor.lastrowid or 0)


class Users(Repository):
    """Teachers and students."""

    COLUMNS = "users.id, username, display_name, role, active"

    def get(self, user_id: int) -> Optional[User]:
        return self.maybe(
            User, f"SELECT {self.COLUMNS} FROM users WHERE id = ?", user_id
        )

    def by_name(self, username: str) -> Optional[User]:
        return self.maybe(
            User,
            f"SELECT {self.COLUMNS} FROM users WHERE username = ?",
            username.strip().lower(),
        )

    def create(
        self, username: str, display_name: str, role: str, password: str
    ) -> User:
        name = username.strip().lower()
        if not USERNAME.fullmatch(name):
            raise DataError(
                f"“{username}” is no user name: 2 to 32 letters, digits, . _ or -"
            )
        if role not in ROLES:
            raise DataError(f"“{role}” is no role")
        check_password(password)
        try:
            user_id = self.insert(
                "users",
                username=name,
                display_name=required(display_name, "the display name"),
                role=role,
                password_hash=hash_password(password),
                created_at=timestamp(),
            )
        except sqlite3.IntegrityError:
            raise DataError(f"the user name “{name}” is taken") from None
        return User(user_id, name, " ".join(display_name.split()), role, True)

    def authenticate(self, username: str, password: str) -> Optional[User]:
        """The user with this name and password, if there is one."""
        user = self.by_name(username)
        if user is None:
            # Take as long as for a user that exists.
            hash_password(password)
            return None
        row = self.one("SELECT password_hash FROM users WHERE id = ?", user.id)
        known = row is not None and verify_password(password, row["password_hash"])
        return user if known and user.active else None

    def set_password(self, user_id: int, password: str) -> None:
        check_password(password)
        self.change("users", user_id, password_hash=hash_password(password))

    def in_class(self, class_id: int) -> list[User]:
        return self.many(
            User,
            f"SELECT {self.COLUMNS} FROM users"
            " JOIN memberships ON user_id = users.id WHERE class_id = ?"
            " ORDER BY display_name COLLATE NOCASE",
            class_id,
        )


def check_password(password: str) -> None:
    """Refuse a password that is too short."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise DataError(f"a password has at least {MIN_PASSWORD_LENGTH} characters")


class Classes(Repository):
    """Classes and who belongs to them."""

    QUERY = """
        SELECT classes.id, name, teacher_id,
            (SELECT count(*) FROM memberships WHERE class_id = classes.id) AS students,
            (SELECT count(*) FROM tasks WHERE class_id = classes.id) AS tasks,
            (SELECT count(*) FROM quizzes WHERE class_id = classes.id) AS quizzes
        FROM classes
    """

    def get(self, class_id: int) -> Optional[SchoolClass]:
        return self.maybe(SchoolClass, f"{self.QUERY} WHERE classes.id = ?", class_id)

    def of_teacher(self, teacher_id: int) -> list[SchoolClass]:
        return self.many(
            SchoolClass, f"{self.QUERY} WHERE teacher_id = ? ORDER BY name", teacher_id
        )

    def of_student(self, user_id: int) -> list[SchoolClass]:
        return self.many(
            SchoolClass,
            f"{self.QUERY} JOIN memberships ON memberships.class_id = classes.id"
            " WHERE user_id = ? ORDER BY name",
            user_id,
        )

    def create(self, name: str, teacher_id: int) -> SchoolClass:
        title = required(name, "the name of the class", longest=60)
        try:
            class_id = self.insert(
                "classes", name=title, teacher_id=teacher_id, created_at=timestamp()
            )
        except sqlite3.IntegrityError:
            raise DataError(f"there is a class “{title}” already") from None
        return SchoolClass(class_id, title, teacher_id)

    def add_member(self, class_id: int, user_id: int) -> bool:
        """Put a student into a class; False if already in it."""
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO memberships (class_id, user_id) VALUES (?, ?)",
            (class_id, user_id),
        )
        return cursor.rowcount > 0

    def remove_member(self, class_id: int, user_id: int) -> bool:
        cursor = self.connection.execute(
            "DELETE FROM memberships WHERE class_id = ? AND user_id = ?",
            (class_id, user_id),
        )
        return cursor.rowcount > 0

    def has_member(self, class_id: int, user_id: int) -> bool:
        return bool(
            self.one(
                "SELECT 1 FROM memberships WHERE class_id = ? AND user_id = ?",
                class_id,
                user_id,
            )
        )


class Tasks(Repository):
    """Tasks, their steps, and what students did with them."""

    COLUMNS = "tasks.id, tasks.class_id, title, body, due_on, published"
    ORDER = "ORDER BY due_on IS NULL, due_on, tasks.id"

    @staticmethod
    def build(row: sqlite3.Row) -> Task:
        names = ("id", "class_id", "title", "body", "published")
        return Task(due_on=parse_date(row["due_on"]), **{n: row[n] for n in names})

    def get(self, task_id: int) -> Optional[Task]:
        row = self.one(f"SELECT {self.COLUMNS} FROM tasks WHERE id = ?", task_id)
        return self.build(row) if row else None

    def in_class(self, class_id: int) -> list[Task]:
        rows = self.all(
            f"SELECT {self.COLUMNS} FROM tasks WHERE class_id = ? {self.ORDER}",
            class_id,
        )
        return [self.build(row) for row in rows]

    def create(self, class_id: int, new: NewTask, published: bool = False) -> int:
        """Add a task with its steps and return its number."""
        with transaction(self.connection):
            task_id = self.insert(
                "tasks",
                class_id=class_id,
                published=int(published),
                created_at=timestamp(),
                **new.columns(),
            )
            self.set_steps(task_id, new.steps)
        return task_id

    def update(self, task_id: int, new: NewTask) -> None:
        """Change a task; steps that keep their wording keep their ticks."""
        with transaction(self.connection):
            self.change("tasks", task_id, **new.columns())
            self.set_steps(task_id, new.steps)

    def set_steps(self, task_id: int, titles: Sequence[str]) -> None:
        """Bring the steps in line with `titles`, in a transaction."""
        old = {step.title: step.id for step in self.steps(task_id)}
        for position, title in enumerate(titles):
            known = old.pop(title, None)
            if known is None:
                self.insert("subtasks", task_id=task_id, position=position, title=title)
            else:
                self.change("subtasks", known, position=position)
        for step_id in old.values():
            self.connection.execute("DELETE FROM subtasks WHERE id = ?", (step_id,))

    def publish(self, task_id: int, published: bool = True) -> None:
        self.change("tasks", task_id, published=int(published))

    def delete(self, task_id: int) -> None:
        self.connection.execute("DELETE FROM tasks WHERE id = ?", (task_id,))

    def steps(self, task_id: int, user_id: int = 0) -> list[Subtask]:
        return self.many(
            Subtask,
            "SELECT id, task_id, title, user_id IS NOT NULL AS done FROM subtasks"
            " LEFT JOIN subtasks_done ON subtask_id = id AND user_id = ?"
            " WHERE task_id = ? ORDER BY position",
            user_id,
            task_id,
        )

    def step(self, subtask_id: int) -> Optional[Subtask]:
        return self.maybe(
            Subtask, "SELECT id, task_id, title FROM subtasks WHERE id = ?", subtask_id
        )

    def toggle_step(self, subtask_id: int, user_id: int) -> bool:
        """Tick a step, or take the tick away; returns whether it is done now."""
        with transaction(self.connection):
            cursor = self.connection.execute(
                "DELETE FROM subtasks_done WHERE subtask_id = ? AND user_id = ?",
                (subtask_id, user_id),
            )
            if cursor.rowcount:
                return False
            self.insert(
                "subtasks_done",
                subtask_id=subtask_id,
                user_id=user_id,
                done_at=timestamp(),
            )
        return True

    def submit(self, task_id: int, user_id: int, note: str) -> None:
        """Hand a task in; every step must be done, and a grade is final."""
        left = [step.title for step in self.steps(task_id, user_id) if not step.done]
        if left:
            raise DataError(f"not done yet: {', '.join(left)}")
        before = self.submission(task_id, user_id)
        if before and before.grade is not None:
            raise DataError("this task has been graded already")
        self.connection.execute(
            "INSERT INTO submissions (task_id, user_id, note, submitted_at)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (task_id, user_id)"
            " DO UPDATE SET note = excluded.note, submitted_at = excluded.submitted_at",
            (task_id, user_id, note.strip(), timestamp()),
        )

    def grade(self, task_id: int, user_id: int, grade: int, feedback: str) -> None:
        """Give 0 to 100 points to what was handed in."""
        if not 0 <= grade <= 100:
            raise DataError("a grade lies between 0 and 100")
        cursor = self.connection.execute(
            "UPDATE submissions SET grade = ?, feedback = ?"
            " WHERE task_id = ? AND user_id = ?",
            (grade, feedback.strip(), task_id, user_id),
        )
        if not cursor.rowcount:
            raise DataError("there is nothing to grade")

    def submission(self, task_id: int, user_id: int) -> Optional[Submission]:
        found = [s for s in self.submissions(task_id) if s.user_id == user_id]
        return found[0] if found else None

    def submissions(self, task_id: int) -> list[Submission]:
        return self.many(
            Submission,
            "SELECT task_id, user_id, display_name, note, submitted_at, grade, feedback"
            " FROM submissions JOIN users ON users.id = user_id"
            " WHERE task_id = ? ORDER BY submitted_at",
            task_id,
        )

    def progress(
        self, user_id: int, class_id: Optional[int] = None
    ) -> list[TaskProgress]:
        """A student's published tasks with their state, soonest due first."""
        rows = self.all(
            f"""
            SELECT {self.COLUMNS},
                (SELECT count(*) FROM subtasks WHERE task_id = tasks.id) AS steps,
                (SELECT count(*) FROM subtasks JOIN subtasks_done ON subtask_id = id
                    WHERE task_id = tasks.id
                    AND subtasks_done.user_id = memberships.user_id) AS steps_done,
                submitted_at IS NOT NULL AS submitted, grade
            FROM tasks
            JOIN memberships ON memberships.class_id = tasks.class_id
            LEFT JOIN submissions ON submissions.task_id = tasks.id
                AND submissions.user_id = memberships.user_id
            WHERE published AND memberships.user_id = ?
                AND tasks.class_id = ifnull(?, tasks.class_id)
            {self.ORDER}
            """,
            user_id,
            class_id,
        )
        names = ("steps_done", "steps", "submitted", "grade")
        return [TaskProgress(self.build(row), *(row[n] for n in names)) for row in rows]


class Quizzes(Repository):
    """Quizzes and the attempts at them."""

    COLUMNS = "quizzes.id, quizzes.class_id, title, max_attempts, pass_percent"
    ATTEMPT = "id, quiz_id, user_id, finished_at, points, max_points"

    def get(self, quiz_id: int) -> Optional[Quiz]:
        """A quiz with all its questions."""
        row = self.one(f"SELECT {self.COLUMNS} FROM quizzes WHERE id = ?", quiz_id)
        if row is None:
            return None
        return Quiz(**dict(row), questions=self._questions(quiz_id))

    def in_class(self, class_id: int) -> list[Quiz]:
        return self.many(
            Quiz,
            f"SELECT {self.COLUMNS} FROM quizzes WHERE class_id = ? ORDER BY id",
            class_id,
        )

    def _questions(self, quiz_id: int) -> tuple[Question, ...]:
        choices: dict[int, list[Choice]] = {}
        for row in self.all(
            "SELECT choices.id, question_id, label, correct FROM choices"
            " JOIN questions ON questions.id = question_id"
            " WHERE quiz_id = ? ORDER BY question_id, choices.position",
            quiz_id,
        ):
            choice = Choice(row["id"], row["label"], bool(row["correct"]))
            choices.setdefault(row["question_id"], []).append(choice)
        return tuple(
            Question(
                row["id"],
                row["prompt"],
                row["explanation"],
                tuple(choices.get(row["id"], ())),
            )
            for row in self.all(
                "SELECT id, prompt, explanation FROM questions"
                " WHERE quiz_id = ? ORDER BY position",
                quiz_id,
            )
        )

    def create(
        self,
        class_id: int,
        title: str,
        questions: Sequence[NewQuestion],
        max_attempts: int = 3,
        pass_percent: int = 60,
    ) -> int:
        """Add a quiz with its questions and return its number."""
        if not questions:
            raise DataError("a quiz needs at least one question")
        if max_attempts < 1:
            raise DataError("a quiz allows at least one attempt")
        if not 0 <= pass_percent <= 100:
            raise DataError("the pass mark lies between 0 and 100 percent")
        with transaction(self.connection):
            quiz_id = self.insert(
                "quizzes",
                class_id=class_id,
                title=required(title, "the title"),
                max_attempts=max_attempts,
                pass_percent=pass_percent,
                created_at=timestamp(),
            )
            for number, question in enumerate(questions):
                question.check()
                question_id = self.insert(
                    "questions",
                    quiz_id=quiz_id,
                    position=number,
                    prompt=question.prompt,
                    explanation=question.explanation,
                )
                for position, (label, correct) in enumerate(question.choices):
                    self.insert(
                        "choices",
                        question_id=question_id,
                        position=position,
                        label=label,
                        correct=int(correct),
                    )
        return quiz_id

    def take(self, quiz: Quiz, user_id: int, chosen: Iterable[int]) -> Attempt:
        """Score the answers and keep them as one more attempt."""
        offered = {c.id for question in quiz.questions for c in question.choices}
        picked = frozenset(chosen) & offered
        with transaction(self.connection):
            if self.attempts_left(quiz, user_id) < 1:
                raise DataError("no attempts left for this quiz")
            attempt_id = self.insert(
                "attempts",
                quiz_id=quiz.id,
                user_id=user_id,
                finished_at=timestamp(),
                points=quiz.score(picked),
                max_points=len(quiz.questions),
            )
            self.connection.executemany(
                "INSERT INTO answers (attempt_id, choice_id) VALUES (?, ?)",
                [(attempt_id, choice_id) for choice_id in picked],
            )
        found = self.attempt(attempt_id)
        assert found is not None
        return found

    def attempt(self, attempt_id: int) -> Optional[Attempt]:
        row = self.one(f"SELECT {self.ATTEMPT} FROM attempts WHERE id = ?", attempt_id)
        if row is None:
            return None
        answers = self.all(
            "SELECT choice_id FROM answers WHERE attempt_id = ?", attempt_id
        )
        return Attempt(
            **dict(row), chosen=frozenset(answer["choice_id"] for answer in answers)
        )

    def attempts(self, quiz_id: int, user_id: int) -> list[Attempt]:
        return self.many(
            Attempt,
            f"SELECT {self.ATTEMPT} FROM attempts"
            " WHERE quiz_id = ? AND user_id = ? ORDER BY id",
            quiz_id,
            user_id,
        )

    def attempts_left(self, quiz: Quiz, user_id: int) -> int:
        return max(0, quiz.max_attempts - len(self.attempts(quiz.id, user_id)))

    def best_scores(self, class_id: int) -> dict[int, dict[int, int]]:
        """For each student the best percentage in each quiz of a class."""
        best: dict[int, dict[int, int]] = {}
        for row in self.all(
            "SELECT attempts.user_id, quiz_id,"
            " max(100.0 * points / max(max_points, 1)) AS best FROM attempts"
            " JOIN quizzes ON quizzes.id = quiz_id WHERE class_id = ?"
            " GROUP BY attempts.user_id, quiz_id",
            class_id,
        ):
            best.setdefault(row["user_id"], {})[row["quiz_id"]] = round(row["best"])
        return best


class Events(Repository):
    """What the analytics queue has recorded."""

    def summary(self, days: int = 7) -> list[tuple[str, int, int]]:
        """Kind, number of events and number of people, over the last days."""
        since = datetime.now(timezone.utc) - timedelta(days=days)
        rows = self.all(
            "SELECT kind, count(*) AS events, count(DISTINCT user_id) AS people"
            " FROM events WHERE happened_at >= ? GROUP BY kind ORDER BY events DESC",
            since.strftime("%Y-%m-%dT%H:%M:%S"),
        )
        return [(row["kind"], row["events"], row["people"]) for row in rows]

    def popular(self, kind: str, limit: int = 10) -> list[tuple[str, int]]:
        """The subjects that occur most often among events of a kind."""
        rows = self.all(
            "SELECT subject, count(*) AS events FROM events WHERE kind = ?"
            " GROUP BY subject ORDER BY events DESC, subject LIMIT ?",
            kind,
            limit,
        )
        return [(row["subject"], row["events"]) for row in rows]


class Store:
    """One open connection, with a repository for each kind of thing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.users = Users(connection)
        self.classes = Classes(connection)
        self.tasks = Tasks(connection)
        self.quizzes = Quizzes(connection)
        self.events = Events(connection)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def transaction(self) -> Any:
        """A block that is committed as a whole."""
        return transaction(self.connection)

    def report(self, school_class: SchoolClass) -> Report:
        """Progress, scores and overdue work of every student of a class."""
        best = self.quizzes.best_scores(school_class.id)
        lines = []
        for student in self.users.in_class(school_class.id):
            progress = self.tasks.progress(student.id, school_class.id)
            grades = [item.grade for item in progress if item.grade is not None]
            lines.append(
                ReportLine(
                    student=student,
                    submitted=sum(item.submitted for item in progress),
                    tasks=len(progress),
                    overdue=sum(item.state == "overdue" for item in progress),
                    progress=_mean([item.percent for item in progress]),
                    average_grade=sum(grades) / len(grades) if grades else None,
                    best_scores=best.get(student.id, {}),
                )
            )
        quizzes = tuple(self.quizzes.in_class(school_class.id))
        return Report(school_class, quizzes, tuple(lines))


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values)) if values else 0
