"""Put classes, tasks and quizzes from a JSON file into the database.

For the administrator's shell. The server may be running meanwhile, and a file
may be imported again: what is there already, by name, is left as it is.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

import analytics_queue
import config
import models

DEMO = Path(__file__).with_name("demo.json")

Record = Mapping[str, Any]


class Importer:
    """Adds the content of one file and counts what is new."""

    def __init__(self, store: models.Store) -> None:
        self.store = store
        self.added: Counter[str] = Counter()

    def run(self, content: Record) -> None:
        teacher = self.user(content["teacher"], models.TEACHER)
        for record in content.get("classes", ()):
            self.school_class(record, teacher)

    def user(self, record: Record, role: str) -> models.User:
        known = self.store.users.by_name(record["username"])
        if known is not None:
            if known.role != role:
                raise models.DataError(f"“{known.username}” is not a {role}")
            return known
        if "password" not in record:
            raise models.DataError(
                f"the new user “{record['username']}” has no password"
            )
        self.added[role] += 1
        name = record.get("name", record["username"])
        return self.store.users.create(
            record["username"], name, role, record["password"]
        )

    def school_class(self, record: Record, teacher: models.User) -> None:
        mine = self.store.classes.of_teacher(teacher.id)
        found = next((c for c in mine if c.name == record["name"]), None)
        if found is None:
            found = self.store.classes.create(record["name"], teacher.id)
            self.added["class"] += 1
        for entry in record.get("students", ()):
            student = self.user(entry, models.STUDENT)
            self.store.classes.add_member(found.id, student.id)
        titles = {task.title for task in self.store.tasks.in_class(found.id)}
        for entry in record.get("tasks", ()):
            if entry["title"] not in titles:
                self.task(found.id, entry)
        titles = {quiz.title for quiz in self.store.quizzes.in_class(found.id)}
        for entry in record.get("quizzes", ()):
            if entry["title"] not in titles:
                self.quiz(found.id, entry)

    def task(self, class_id: int, record: Record) -> None:
        due_on = models.parse_date(record.get("due_on"))
        if "due_in_days" in record:
            due_on = date.today() + timedelta(days=record["due_in_days"])
        steps = record.get("steps", ())
        new = models.NewTask(record["title"], record.get("body", ""), due_on, steps)
        self.store.tasks.create(class_id, new, record.get("published", True))
        self.added["task"] += 1

    def quiz(self, class_id: int, record: Record) -> None:
        questions = [
            models.NewQuestion(
                entry["prompt"],
                tuple((c["label"], c.get("correct", False)) for c in entry["choices"]),
                entry.get("explanation", ""),
            )
            for entry in record["questions"]
        ]
        self.store.quizzes.create(
            class_id,
            record["title"],
            questions,
            record.get("max_attempts", 3),
            record.get("pass_percent", 60),
        )
        self.added["quiz"] += 1


def read(path: Path) -> Record:
    """Read a file whose outermost value is an object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise models.DataError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise models.DataError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise models.DataError(f"{path} does not hold an object")
    return content


def teacher_only(username: str) -> Record:
    """The content of a file that does nothing but add a teacher."""
    password = os.environ.get("LERNMANAGER_PASSWORD") or getpass.getpass()
    return {"teacher": {"username": username, "password": password}}


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("file", nargs="?", type=Path, help="the JSON file to import")
    source.add_argument("--demo", action="store_true", help="import a made-up school")
    source.add_argument("--teacher", metavar="NAME", help="only add a teacher")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data folder")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be added"
    )
    return parser.parse_args(arguments)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = parse_arguments(arguments)
    try:
        settings = config.load()
        if options.data:
            settings = settings.with_data_dir(options.data)
        if options.teacher:
            content = teacher_only(options.teacher)
        else:
            content = read(DEMO if options.demo else options.file)
        database = models.Database.from_settings(settings)
        database.migrate()
        with database.open() as store:
            importer = Importer(store)
            store.connection.execute("BEGIN IMMEDIATE")
            try:
                importer.run(content)
            except BaseException:
                store.connection.execute("ROLLBACK")
                raise
            store.connection.execute("ROLLBACK" if options.dry_run else "COMMIT")
    except KeyError as error:
        print(f"import_task.py: the key {error} is missing", file=sys.stderr)
        return 1
    except (config.ConfigError, models.DataError, models.SchemaError) as error:
        print(f"import_task.py: {error}", file=sys.stderr)
        return 1
    found = ", ".join(f"{kind}: {count}" for kind, count in importer.added.items())
    print(f"{'would add' if options.dry_run else 'added'} {found or 'nothing'}")
    if importer.added and not options.dry_run:
        events = analytics_queue.AnalyticsQueue.from_settings(settings, database)
        events.record(analytics_queue.IMPORTED, subject=found)
        events.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
