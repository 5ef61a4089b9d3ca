"""Tests of the learning manager, through Flask's test client.

python -m unittest discover -s scenarios/lernmanager/tests
"""

from __future__ import annotations

import sys

sys.dont_write_bytecode = True

import csv
import io
import json
import logging
import os
import re
import subprocess
import tempfile
import threading
import unittest
from contextlib import redirect_stderr, redirect_stdout
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

SOURCE = Path(__file__).resolve().parent.parent / "app"
sys.path.insert(0, str(SOURCE))

# `import app` opens a database: give it one that is thrown away.
_scratch = tempfile.TemporaryDirectory(prefix="lernmanager-")
unittest.addModuleCleanup(_scratch.cleanup)
with mock.patch.dict(os.environ, {"LERNMANAGER_DATA": _scratch.name}):
    logging.getLogger("lernmanager").setLevel(logging.ERROR)
    import analytics_queue
    import app as app_module
    import config
    import import_task
    import models
    import utils

models.SCRYPT_COST = 16  # Quick, and good enough for passwords that everybody can read.

TEACHER = ("curie", "radium-and-polonium")
STUDENT = ("ada", "analytical-engine")
OTHER = ("ben", "kites-and-lightning")


class PageChecker(HTMLParser):
    """Complains about tags that are not closed in order, and double ids."""

    VOID = {"input", "meta", "link", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.problems: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                if value in self.ids:
                    self.problems.append(f"id {value} twice")
                self.ids.add(value)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")


class AppTest(unittest.TestCase):
    """An application with a teacher, two students and a class."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="lernmanager-")
        self.addCleanup(folder.cleanup)
        self.settings = config.Settings(
            Path(folder.name) / "data", secret_key="tests", analytics_interval=0.05
        )
        self.app = app_module.create_app(self.settings)
        self.app.testing = True
        self.addCleanup(self.app.analytics.stop)
        with self.app.database.open() as store:
            people = [
                store.users.create(name, name.title(), role, password)
                for (name, password), role in (
                    (TEACHER, models.TEACHER),
                    (STUDENT, models.STUDENT),
                    (OTHER, models.STUDENT),
                )
            ]
            self.teacher_id, self.student_id, self.other_id = (u.id for u in people)
            self.class_id = store.classes.create("7b", self.teacher_id).id
            store.classes.add_member(self.class_id, self.student_id)

    def client(self, who=None):
        client = self.app.test_client()
        if who:
            answer = self.post(client, "/login", username=who[0], password=who[1])
            self.assertEqual(answer.status_code, 302)
        return client

    def token(self, client) -> str:
        """The token in the page's form, as a browser would send it."""
        page = client.get("/password")
        if page.status_code != 200:
            page = client.get("/login")
        return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]

    def post(self, client, path, **fields):
        fields.setdefault("csrf", self.token(client))
        return client.post(path, data=fields)

    def page(self, client, path, status=200) -> str:
        answer = client.get(path)
        self.assertEqual(answer.status_code, status, path)
        checker = PageChecker()
        checker.feed(answer.text)
        self.assertEqual((checker.problems, checker.open), ([], []), path)
        return answer.text

    def rows(self, query, *values):
        with self.app.database.open() as store:
            return [tuple(row) for row in store.connection.execute(query, values)]


class Entering(AppTest):
    def test_login_page_and_health(self):
        client = self.client()
        self.assertIn("Log in", self.page(client, "/login"))
        health = client.get("/healthz")
        self.assertEqual(health.status_code, 200)
        self.assertEqual(health.json["status"], "ok")
        self.assertEqual(health.json["schema"], models.SCHEMA_VERSION)

    def test_static_file_and_security_headers(self):
        answer = self.client().get("/static/style.css")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        answer.close()

    def test_login_and_logout(self):
        client = self.client(TEACHER)
        self.assertIn("Your classes", self.page(client, "/"))
        self.post(client, "/logout")
        self.assertEqual(client.get("/").status_code, 302)

    def test_wrong_password(self):
        client = self.client()
        answer = self.post(client, "/login", username="curie", password="wrong")
        self.assertEqual(answer.status_code, 401)
        self.assertIn("is wrong", answer.text)
        answer = self.post(client, "/login", username="nobody", password="wrong")
        self.assertEqual(answer.status_code, 401)

    def test_guessing_is_slowed_down(self):
        client = self.client()
        for _ in range(self.settings.login_attempts):
            self.post(client, "/login", username="curie", password="wrong")
        answer = self.post(client, "/login", username=TEACHER[0], password=TEACHER[1])
        self.assertEqual(answer.status_code, 429)

    def test_login_returns_to_the_page_asked_for_but_to_no_other_site(self):
        path = f"/teach/classes/{self.class_id}"
        client = self.client()
        self.assertIn("/login?next=", client.get(path).headers["Location"])
        for target, expected in ((path, path), ("//evil.test/", "/"), ("/\\evil", "/")):
            client = self.client()
            answer = client.post(
                "/login",
                query_string={"next": target},
                data={
                    "username": TEACHER[0],
                    "password": TEACHER[1],
                    "csrf": self.token(client),
                },
            )
            self.assertEqual(answer.headers["Location"], expected)

    def test_csrf_token_is_needed(self):
        client = self.client(TEACHER)
        for token in ("", "guessed", "gu€ssed"):
            answer = self.post(client, "/teach/classes", name="8c", csrf=token)
            self.assertEqual(answer.status_code, 400)
        self.assertEqual(self.rows("SELECT name FROM classes"), [("7b",)])
        for token in ("", "guessed"):
            fresh = self.app.test_client().post("/login", data={"csrf": token})
            self.assertEqual(fresh.status_code, 400)
        answer = client.post(
            "/teach/classes",
            data={"name": "8c"},
            headers={"X-CSRF-Token": self.token(client)},
        )
        self.assertEqual(answer.status_code, 302)

    def test_changing_the_password(self):
        client = self.client(STUDENT)
        fields = {"old": STUDENT[1], "new": "difference-engine"}
        self.post(client, "/password", **fields, again="something-else")
        self.assertIn("differ", self.page(client, "/"))
        self.post(client, "/password", **fields, again=fields["new"])
        self.client((STUDENT[0], "difference-engine"))


class Teaching(AppTest):
    def test_creating_a_class(self):
        client = self.client(TEACHER)
        answer = self.post(client, "/teach/classes", name="  9a   Physics ")
        self.assertIn("9a Physics", self.page(client, answer.headers["Location"]))
        self.post(client, "/teach/classes", name="9a Physics")
        self.assertIn("already", self.page(client, "/"))

    def test_importing_a_class_list(self):
        client = self.client(TEACHER)
        upload = io.BytesIO("\ufeffName;Username\nZoë Müller;\nAda;ada\n".encode())
        answer = client.post(
            f"/teach/classes/{self.class_id}/students",
            data={"file": (upload, "7b.csv"), "csrf": self.token(client)},
        )
        password = re.search(r"<code>([a-z0-9-]+)</code>", answer.text)[1]
        self.assertIn(
            "Zoë Müller", self.page(client, f"/teach/classes/{self.class_id}")
        )
        self.client(("zoe.mueller", password))
        self.assertEqual(self.rows("SELECT count(*) FROM users"), [(4,)])

    def test_a_bad_class_list_changes_nothing(self):
        client = self.client(TEACHER)
        path = f"/teach/classes/{self.class_id}/students"
        for bad in ("", "who\nAda", "name\n", "name,username\nEve,eve\nMallory,curie"):
            self.post(client, path, list=bad, back="/")
        self.assertEqual(self.rows("SELECT count(*) FROM users"), [(3,)])

    def test_removing_a_student(self):
        client = self.client(TEACHER)
        path = f"/teach/classes/{self.class_id}/students/{self.student_id}/remove"
        self.assertEqual(self.post(client, path).status_code, 302)
        self.assertEqual(self.post(client, path).status_code, 404)

    def test_life_of_a_task(self):
        teacher, student = self.client(TEACHER), self.client(STUDENT)
        answer = self.post(
            teacher,
            f"/teach/classes/{self.class_id}/tasks/new",
            title="Fractions",
            body="# Read\n- **one**\n- <two>",
            due_on=date.today().isoformat(),
            steps="Read\nCalculate\n\nRead\n",
        )
        path = answer.headers["Location"]
        task_id = int(path.rpartition("/")[2])
        page = self.page(teacher, path)
        self.assertIn("<li><strong>one</strong></li><li>&lt;two&gt;</li>", page)

        # A draft is the teacher's alone.
        self.page(student, path, 404)
        self.post(teacher, f"/teach/tasks/{task_id}/publish")
        self.assertIn("Calculate", self.page(student, path))
        self.assertIn("today", self.page(student, "/"))

        # Every step must be done first.
        self.post(student, f"{path}/submit", note="early")
        self.assertIn("Not done yet", self.page(student, "/"))
        steps = self.rows("SELECT id, title FROM subtasks ORDER BY position")
        self.assertEqual([title for _, title in steps], ["Read", "Calculate"])
        self.post(student, f"/steps/{steps[0][0]}")
        self.assertIn("50 %", self.page(student, "/"))

        # A step that keeps its wording keeps its tick.
        self.post(
            teacher,
            f"/teach/tasks/{task_id}/edit",
            title="Fractions",
            steps="New\nRead",
        )
        self.assertEqual(
            self.rows(
                "SELECT title FROM subtasks JOIN subtasks_done ON id = subtask_id"
            ),
            [("Read",)],
        )
        (new,) = self.rows("SELECT id FROM subtasks WHERE title = 'New'")
        self.post(student, f"/steps/{new[0]}")
        self.post(student, f"{path}/submit", note="Here it is")
        self.assertIn("submitted", self.page(student, "/"))

        submissions = f"/teach/tasks/{task_id}/submissions"
        self.assertIn("Here it is", self.page(teacher, submissions))
        self.post(teacher, f"{submissions}/{self.student_id}", grade="101")
        self.post(
            teacher, f"{submissions}/{self.student_id}", grade="85", feedback="*Good*"
        )
        self.assertIn("<em>Good</em>", self.page(student, path))
        self.post(student, f"{path}/submit", note="again")
        self.assertIn("graded already", self.page(student, "/"))

        self.post(teacher, f"/teach/tasks/{task_id}/delete")
        self.assertEqual(self.rows("SELECT * FROM submissions"), [])

    def test_quiz(self):
        teacher, student = self.client(TEACHER), self.client(STUDENT)
        self.page(teacher, f"/teach/classes/{self.class_id}/quizzes/new")
        answer = self.post(
            teacher,
            f"/teach/classes/{self.class_id}/quizzes/new",
            title="Times tables",
            questions="6 × 7?\n+ 42\n- 48\n> Think.\n\nEven?\n+ 2\n+ 4\n- 5\n",
            max_attempts="2",
        )
        path = answer.headers["Location"]
        quiz_id = int(path.rpartition("/")[2])
        page = self.page(student, path)
        self.assertIn('type="radio"', page)
        self.assertIn('type="checkbox"', page)
        with self.app.database.open() as store:
            quiz = store.quizzes.get(quiz_id)
        single, several = quiz.questions

        # Neither everything nor one of two correct choices gives the point.
        everything = [choice.id for q in quiz.questions for choice in q.choices]
        self.assertEqual(quiz.score(everything), 0)
        fields = {
            f"question-{single.id}": list(single.correct_ids),
            f"question-{several.id}": [min(several.correct_ids)],
        }
        answer = self.post(student, path, **fields)
        page = self.page(student, answer.headers["Location"])
        self.assertIn("1 of 2 points, 50 %", page)
        self.assertIn("not passed", page)
        self.assertNotIn("Think.", page)
        fields[f"question-{several.id}"] = list(several.correct_ids)
        answer = self.post(student, path, **fields)
        page = self.page(student, answer.headers["Location"])
        self.assertIn("2 of 2 points, 100 %", page)
        self.assertIn("Think.", page)
        self.page(teacher, answer.headers["Location"])

        # No third attempt.
        self.post(student, path, **fields)
        self.assertIn("used all attempts", self.page(student, path))
        self.assertEqual(self.rows("SELECT count(*) FROM attempts"), [(2,)])
        self.assertIn("100 %", self.page(student, "/"))

    def test_bad_quizzes_are_refused(self):
        client = self.client(TEACHER)
        path = f"/teach/classes/{self.class_id}/quizzes/new"
        for bad in (
            "",
            "+ 1",
            "One?\n+ 1",
            "One?\n- 1\n- 2",
            "One?\n+ 1\n- 1",
            "A?\n+",
        ):
            self.assertEqual(
                self.post(client, path, title="Bad", questions=bad).status_code, 302
            )
        self.assertEqual(self.rows("SELECT * FROM quizzes"), [])
        self.assertEqual(self.rows("SELECT * FROM questions"), [])


class Reporting(AppTest):
    def setUp(self) -> None:
        super().setUp()
        late = date.today() - timedelta(days=3)
        with self.app.database.open() as store:
            for user_id in (self.student_id, self.other_id):
                store.classes.add_member(self.class_id, user_id)
            done = store.tasks.create(self.class_id, models.NewTask("Done"), True)
            half = models.NewTask("Half", due_on=late, steps=("a", "b"))
            half_id = store.tasks.create(self.class_id, half, True)
            store.tasks.submit(done, self.student_id, "note")
            store.tasks.grade(done, self.student_id, 90, "")
            store.tasks.toggle_step(store.tasks.steps(half_id)[0].id, self.student_id)
            question = models.NewQuestion("?", (("yes", True), ("no", False)))
            quiz_id = store.quizzes.create(self.class_id, "=Quiz", [question])
            quiz = store.quizzes.get(quiz_id)
            store.quizzes.take(quiz, self.student_id, quiz.questions[0].correct_ids)

    def test_report(self):
        page = self.page(self.client(TEACHER), f"/teach/classes/{self.class_id}/report")
        self.assertIn("Mean progress 38 %, 2 overdue", page)
        self.assertIn("90.0", page)

    def test_report_as_csv(self):
        answer = self.client(TEACHER).get(f"/teach/classes/{self.class_id}/report.csv")
        self.assertEqual(answer.mimetype, "text/csv")
        self.assertIn("report.7b.csv", answer.headers["Content-Disposition"])
        head, ada, ben = csv.reader(io.StringIO(answer.text))
        self.assertEqual(head[-1], "'=Quiz")
        self.assertEqual(ada, ["Ada", "ada", "75", "1", "2", "1", "90.0", "100"])
        self.assertEqual(ben, ["Ben", "ben", "0", "0", "2", "1", "", ""])

    def test_who_may_see_what(self):
        student = self.client(STUDENT)
        for path in ("", "/report", "/report.csv"):
            self.page(student, f"/teach/classes/{self.class_id}{path}", 403)
        self.page(student, "/teach/activity", 403)
        self.assertEqual(
            self.post(student, "/teach/classes", name="x").status_code, 403
        )

        # Another teacher, and a student of another class.
        with self.app.database.open() as store:
            store.users.create("noether", "Noether", models.TEACHER, "invariants")
            store.users.create("eve", "Eve", models.STUDENT, "eavesdropping")
            (attempt,) = store.connection.execute("SELECT id FROM attempts").fetchone()
            (task_id,) = store.connection.execute(
                "SELECT min(id) FROM tasks"
            ).fetchone()
        self.page(
            self.client(("noether", "invariants")),
            f"/teach/classes/{self.class_id}/report",
            403,
        )
        self.page(self.client(("eve", "eavesdropping")), f"/tasks/{task_id}", 403)
        self.page(self.client(OTHER), f"/attempts/{attempt}", 403)
        self.assertEqual(self.client().get("/teach/activity").status_code, 302)

    def test_activity(self):
        client = self.client(TEACHER)
        self.page(client, "/")
        page = self.page(client, "/teach/activity")
        self.assertIn("page view", page)
        self.assertIn("<code>/login</code>", page)


class Analytics(AppTest):
    def test_importing_and_building_starts_no_thread(self):
        self.assertFalse(self.app.analytics.running)
        self.assertFalse(app_module.app.analytics.running)

    def test_flush_writes_everything(self):
        queue = analytics_queue.AnalyticsQueue(
            self.app.database, batch_size=7, interval=60
        )
        for number in range(20):
            self.assertTrue(queue.record("lesson", self.student_id, str(number)))
        self.assertTrue(queue.flush())
        subjects = self.rows("SELECT subject FROM events WHERE kind = 'lesson'")
        self.assertEqual(subjects, [(str(number),) for number in range(20)])
        self.assertTrue(queue.stop())
        self.assertFalse(queue.running)

        # It starts anew with the next event.
        queue.record("lesson")
        self.assertTrue(queue.stop())
        self.assertEqual((queue.written, queue.dropped), (21, 0))

    def test_events_of_many_threads(self):
        queue = self.app.analytics
        threads = [
            threading.Thread(target=lambda: [queue.record("x") for _ in range(50)])
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(queue.flush())
        self.assertEqual(
            self.rows("SELECT count(*) FROM events WHERE kind = 'x'"), [(400,)]
        )

    def test_a_full_queue_drops_and_counts(self):
        queue = self.app.analytics
        with mock.patch.object(queue, "_ensure_started"):
            for _ in range(analytics_queue.CAPACITY):
                queue.record("x")
            self.assertFalse(queue.record("x"))
        self.assertEqual(queue.dropped, 1)

    def test_an_event_that_cannot_be_written_does_not_end_the_thread(self):
        queue = self.app.analytics
        with self.assertLogs("lernmanager", "WARNING"):
            queue.record("x", user_id=-1)
            queue.flush()
        queue.record("x")
        queue.flush()
        self.assertEqual((queue.written, queue.dropped), (1, 1))


class Importing(AppTest):
    def run_import(self, *arguments) -> "tuple[int, str]":
        out = io.StringIO()
        data = ("--data", str(self.settings.data_dir))
        with redirect_stdout(out), redirect_stderr(out):
            status = import_task.main([*map(str, arguments), *data])
        return status, out.getvalue()

    def file(self, content) -> Path:
        path = self.settings.data_dir / "import.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def test_demo(self):
        status, output = self.run_import("--demo", "--dry-run")
        self.assertEqual(status, 0)
        self.assertIn("would add class: 2, student: 20, task: 8, quiz: 3", output)
        self.assertEqual(self.rows("SELECT count(*) FROM users"), [(3,)])
        self.assertEqual(self.run_import("--demo")[0], 0)
        self.assertEqual(self.rows("SELECT count(*) FROM users"), [(23,)])
        self.assertIn("added nothing", self.run_import("--demo")[1])
        kinds = self.rows("SELECT kind FROM events")
        self.assertEqual(kinds, [("imported",)])

        # Every page of the made-up school is well-formed.
        teacher = self.client(TEACHER)
        for (class_id,) in self.rows("SELECT id FROM classes"):
            self.page(teacher, f"/teach/classes/{class_id}")
            self.page(teacher, f"/teach/classes/{class_id}/report")
        for (task_id,) in self.rows("SELECT id FROM tasks"):
            self.page(teacher, f"/tasks/{task_id}")
            self.page(teacher, f"/teach/tasks/{task_id}/edit")
        for (quiz_id,) in self.rows("SELECT id FROM quizzes"):
            self.page(teacher, f"/quizzes/{quiz_id}")
        self.page(self.client(("jonas.weiss", "learn-by-doing")), "/")

    def test_adding_a_task_to_a_class(self):
        record = {"title": "New", "due_on": "2030-01-31", "steps": ["a", "b"]}
        content = {
            "teacher": {"username": "curie"},
            "classes": [{"name": "7b", "tasks": [record]}],
        }
        self.assertEqual(self.run_import(self.file(content)), (0, "added task: 1\n"))
        self.assertEqual(self.rows("SELECT due_on FROM tasks"), [("2030-01-31",)])

    def test_bad_files_change_nothing(self):
        half = {
            "teacher": {"username": "curie"},
            "classes": [{"name": "8a", "tasks": [{"title": "x", "due_on": "soon"}]}],
        }
        for bad in ([], {}, {"teacher": {"username": "ada"}}, half):
            self.assertEqual(self.run_import(self.file(bad))[0], 1, bad)
        self.assertEqual(self.run_import("no-such-file.json")[0], 1)
        self.assertEqual(self.rows("SELECT name FROM classes"), [("7b",)])

    def test_it_imports_exactly_three_of_the_modules(self):
        code = (
            "import sys; sys.dont_write_bytecode = True\n"
            "sys.path.insert(0, sys.argv[1])\n"
            "import import_task; print(*sorted({'analytics_queue', 'app', 'config',"
            " 'models', 'utils', 'flask', 'run'} & set(sys.modules)))"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, str(SOURCE)],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        self.assertEqual(found.stdout.split(), ["analytics_queue", "config", "models"])


class Parts(unittest.TestCase):
    def test_settings(self):
        settings = config.load({"LERNMANAGER_DATA": "/srv/lm", "SECRET_KEY": "s"})
        self.assertEqual(settings.database, Path("/srv/lm/lernmanager.sqlite3"))
        self.assertFalse(settings.uses_development_key)
        settings = config.load({"XDG_STATE_HOME": "/srv/state"})
        self.assertEqual(settings.data_dir, Path("/srv/state/lernmanager"))
        self.assertTrue(settings.uses_development_key)
        for name, value in (
            ("LERNMANAGER_SESSION_HOURS", "many"),
            ("LERNMANAGER_SESSION_HOURS", "0"),
            ("LERNMANAGER_ANALYTICS", "perhaps"),
        ):
            with self.assertRaisesRegex(config.ConfigError, name):
                config.load({"HOME": "/", name: value})

    def test_migrating_an_old_database(self):
        with tempfile.TemporaryDirectory() as folder:
            database = models.Database(Path(folder) / "old.sqlite3")
            connection = database.connect()
            connection.executescript((SOURCE / "migrations" / "1.sql").read_text())
            connection.execute("PRAGMA user_version = 1")
            connection.execute(
                "INSERT INTO users VALUES (1, 'old', 'Old', 'teacher', 'x', 1, '')"
            )
            connection.close()
            self.assertEqual(database.migrate(), models.SCHEMA_VERSION - 1)
            self.assertEqual(database.migrate(), 0)
            with database.open() as store:
                self.assertEqual(store.users.get(1).username, "old")
                store.connection.execute("PRAGMA user_version = 99")
            with self.assertRaises(models.SchemaError):
                database.migrate()

    def test_passwords(self):
        stored = models.hash_password("correct horse")
        self.assertTrue(models.verify_password("correct horse", stored))
        self.assertFalse(models.verify_password("wrong horse", stored))
        self.assertFalse(models.verify_password("x", "not a hash"))

    def test_text(self):
        for text, html in (
            ("a\nb\n\nc", "<p>a<br>b</p>\n<p>c</p>"),
            ("## Head\ntext", "<h4>Head</h4>\n<p>text</p>"),
            ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
            ("`a*b*c` *d*", "<p><code>a*b*c</code> <em>d</em></p>"),
            (
                "```\nx < 1\n\n```\nend",
                "<pre><code>x &lt; 1\n</code></pre>\n<p>end</p>",
            ),
            ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
            ("<script>", "<p>&lt;script&gt;</p>"),
            (None, ""),
        ):
            self.assertEqual(utils.render_text(text), html)

    def test_days(self):
        today = date.today()
        self.assertEqual(utils.format_day(today + timedelta(days=1)), "tomorrow")
        self.assertEqual(utils.format_day(today - timedelta(days=5)), "5 days ago")
        self.assertEqual(utils.format_day(date(2020, 3, 1)), "1 March 2020")
        self.assertEqual(utils.format_day(None), "no due date")


if __name__ == "__main__":
    unittest.main()
