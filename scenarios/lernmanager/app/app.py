"""The learning manager's web application: routes for teachers and students."""

from __future__ import annotations

from typing import Any, Optional, cast

from flask import Blueprint, Flask, Response, abort, current_app, flash, g, jsonify
from flask import redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException

import analytics_queue
import config
import models
import utils
from models import STUDENT, TEACHER, DataError, Quiz, SchoolClass, Store, Task, User
from utils import roles_required

__version__ = "1.4.0"

site = Blueprint("site", __name__)
auth = Blueprint("auth", __name__)
learn = Blueprint("learn", __name__)
teach = Blueprint("teach", __name__, url_prefix="/teach")

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class LernManager(Flask):
    """Flask, with the parts of the application that live as long as it does."""

    jinja_options = {"trim_blocks": True, "lstrip_blocks": True}

    settings: config.Settings
    database: models.Database
    analytics: analytics_queue.AnalyticsQueue
    throttle: utils.LoginThrottle


def create_app(settings: Optional[config.Settings] = None) -> LernManager:
    """Build the application; opens the database, starts nothing."""
    settings = settings or config.load()
    if settings.uses_development_key:
        config.log.warning("SECRET_KEY is not set: sessions can be forged")
    application = LernManager(__name__)
    application.config.from_mapping(settings.flask_config())
    application.settings = settings
    application.database = models.Database.from_settings(settings)
    application.database.migrate()
    application.analytics = analytics_queue.AnalyticsQueue.from_settings(
        settings, application.database
    )
    application.throttle = utils.LoginThrottle(
        settings.login_attempts, settings.login_window
    )
    utils.register_filters(application)
    for blueprint in (site, auth, learn, teach):
        application.register_blueprint(blueprint)
    application.before_request(utils.check_csrf)
    application.before_request(load_user)
    application.after_request(finish_response)
    application.teardown_appcontext(close_store)
    application.register_error_handler(HTTPException, show_error)
    application.register_error_handler(DataError, show_data_error)
    return application


# --------------------------------------------------------------------------
# Around every request


def manager() -> LernManager:
    """The application that serves this request."""
    return cast(LernManager, current_app)


def store() -> Store:
    """This request's connection, opened when it is first needed."""
    if "store" not in g:
        g.store = manager().database.open()
    return g.store


def close_store(_: Optional[BaseException] = None) -> None:
    opened = g.pop("store", None)
    if opened is not None:
        opened.close()


def load_user() -> None:
    """Find out who is asking; somebody locked out meanwhile is nobody."""
    user_id = session.get("user_id")
    user = store().users.get(user_id) if user_id else None
    g.user = user if user and user.active else None


def record(kind: str, subject: str) -> None:
    """Note an event of the present user."""
    manager().analytics.record(kind, g.user.id if g.user else None, subject)


def finish_response(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html":
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method == "GET" and response.status_code == 200:
            record(analytics_queue.PAGE_VIEW, str(request.url_rule))
    return response


def show_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    return render_template("error.html", error=error), error.code


def show_data_error(error: DataError) -> Any:
    """Say what was wrong with a form, on the page that it came from."""
    flash(f"{str(error)[:1].upper()}{str(error)[1:]}.", "error")
    back = utils.safe_target(request.form.get("back"))
    return redirect(back or url_for("site.home"))


def find_class(class_id: int) -> SchoolClass:
    """A class that the present user may see."""
    found = store().classes.get(class_id)
    if found is None:
        abort(404)
    if g.user.is_teacher:
        allowed = found.teacher_id == g.user.id
    else:
        allowed = store().classes.has_member(class_id, g.user.id)
    if not allowed:
        abort(403)
    return found


def find_task(task_id: int) -> Task:
    """A task that the present user may see; drafts are the teacher's."""
    task = store().tasks.get(task_id)
    if task is None or not (task.published or g.user.is_teacher):
        abort(404)
    find_class(task.class_id)
    return task


def find_quiz(quiz_id: int) -> Quiz:
    """A quiz that the present user may see."""
    quiz = store().quizzes.get(quiz_id)
    if quiz is None:
        abort(404)
    find_class(quiz.class_id)
    return quiz


def number(name: str, default: Optional[int] = None) -> int:
    """A whole number from the form."""
    text = request.form.get(name, "").strip()
    if not text and default is not None:
        return default
    try:
        return int(text)
    except ValueError:
        raise DataError(f"“{text}” is not a whole number ({name})") from None


# --------------------------------------------------------------------------
# Everybody


@site.get("/")
@roles_required()
def home() -> Any:
    if g.user.is_teacher:
        classes = store().classes.of_teacher(g.user.id)
        return render_template("teacher.html", classes=classes)
    progress = store().tasks.progress(g.user.id)
    classes = store().classes.of_student(g.user.id)
    quizzes = [
        (quiz, store().quizzes.attempts(quiz.id, g.user.id))
        for school_class in classes
        for quiz in store().quizzes.in_class(school_class.id)
    ]
    return render_template(
        "student.html",
        classes={school_class.id: school_class for school_class in classes},
        progress=progress,
        quizzes=quizzes,
        overdue=sum(item.state == "overdue" for item in progress),
    )


@site.get("/healthz")
def healthz() -> Any:
    version = models.schema_version(store().connection)
    return jsonify(status="ok", version=__version__, schema=version)


@auth.route("/login", methods=["GET", "POST"])
def login() -> Any:
    if request.method == "GET":
        if g.user:
            return redirect(url_for("site.home"))
        return render_template("login.html")
    name = request.form.get("username", "").strip().lower()
    throttle = manager().throttle
    if throttle.blocked(name):
        flash("Too many failed attempts. Try again in a few minutes.", "error")
        return render_template("login.html", username=name), 429
    user = store().users.authenticate(name, request.form.get("password", ""))
    if user is None:
        throttle.failed(name)
        flash("User name or password is wrong.", "error")
        return render_template("login.html", username=name), 401
    throttle.succeeded(name)
    utils.sign_in(user)
    manager().analytics.record(analytics_queue.LOGIN, user.id, user.role)
    target = utils.safe_target(request.args.get("next"))
    return redirect(target or url_for("site.home"))


@auth.post("/logout")
def logout() -> Any:
    session.clear()
    flash("You have logged out.", "info")
    return redirect(url_for("auth.login"))


@auth.route("/password", methods=["GET", "POST"])
@roles_required()
def password() -> Any:
    if request.method == "POST":
        old, new = request.form.get("old", ""), request.form.get("new", "")
        if store().users.authenticate(g.user.username, old) is None:
            raise DataError("the old password is wrong")
        if new != request.form.get("again"):
            raise DataError("the new passwords differ")
        store().users.set_password(g.user.id, new)
        flash("Your password has been changed.", "info")
        return redirect(url_for("site.home"))
    return render_template("password.html")


# --------------------------------------------------------------------------
# Students


@learn.get("/tasks/<int:task_id>")
@roles_required()
def task(task_id: int) -> Any:
    found = find_task(task_id)
    return render_template(
        "task.html",
        task=found,
        school_class=find_class(found.class_id),
        steps=store().tasks.steps(task_id, g.user.id),
        submission=store().tasks.submission(task_id, g.user.id),
    )


@learn.post("/steps/<int:step_id>")
@roles_required(STUDENT)
def toggle_step(step_id: int) -> Any:
    step = store().tasks.step(step_id)
    if step is None:
        abort(404)
    find_task(step.task_id)
    store().tasks.toggle_step(step_id, g.user.id)
    return redirect(url_for("learn.task", task_id=step.task_id))


@learn.post("/tasks/<int:task_id>/submit")
@roles_required(STUDENT)
def submit(task_id: int) -> Any:
    found = find_task(task_id)
    store().tasks.submit(task_id, g.user.id, request.form.get("note", ""))
    record(analytics_queue.TASK_SUBMITTED, found.title)
    flash(f"You have handed in “{found.title}”.", "info")
    return redirect(url_for("site.home"))


@learn.route("/quizzes/<int:quiz_id>", methods=["GET", "POST"])
@roles_required()
def quiz(quiz_id: int) -> Any:
    found = find_quiz(quiz_id)
    if request.method == "POST":
        if g.user.role != STUDENT:
            abort(403)
        chosen = request.form.getlist("choice", type=int)
        for question in found.questions:
            chosen += request.form.getlist(f"question-{question.id}", type=int)
        attempt = store().quizzes.take(found, g.user.id, chosen)
        record(analytics_queue.QUIZ_TAKEN, found.title)
        return redirect(url_for("learn.attempt", attempt_id=attempt.id))
    return render_template(
        "quiz.html",
        quiz=found,
        attempts=store().quizzes.attempts(quiz_id, g.user.id),
        left=store().quizzes.attempts_left(found, g.user.id),
    )


@learn.get("/attempts/<int:attempt_id>")
@roles_required()
def attempt(attempt_id: int) -> Any:
    found = store().quizzes.attempt(attempt_id)
    if found is None:
        abort(404)
    if not g.user.is_teacher and found.user_id != g.user.id:
        abort(403)
    taken = find_quiz(found.quiz_id)
    left = store().quizzes.attempts_left(taken, found.user_id)
    return render_template("attempt.html", attempt=found, quiz=taken, left=left)


# --------------------------------------------------------------------------
# Teachers


@teach.post("/classes")
@roles_required(TEACHER)
def create_class() -> Any:
    created = store().classes.create(request.form.get("name", ""), g.user.id)
    return redirect(url_for("teach.show_class", class_id=created.id))


@teach.get("/classes/<int:class_id>")
@roles_required(TEACHER)
def show_class(class_id: int) -> Any:
    return render_template(
        "class.html",
        school_class=find_class(class_id),
        students=store().users.in_class(class_id),
        tasks=store().tasks.in_class(class_id),
        quizzes=store().quizzes.in_class(class_id),
    )


@teach.post("/classes/<int:class_id>/students")
@roles_required(TEACHER)
def import_students(class_id: int) -> Any:
    """Take over a class list; new passwords are shown once, on this page."""
    school_class = find_class(class_id)
    upload = request.files.get("file")
    if upload and upload.filename:
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise DataError("the file is not UTF-8 text") from None
    else:
        text = request.form.get("list", "")
    created = []
    with store().transaction():
        for row in utils.read_students(text):
            user, secret = _student(row)
            store().classes.add_member(class_id, user.id)
            if secret:
                created.append((user, secret))
    return render_template("imported.html", school_class=school_class, created=created)


def _student(row: utils.StudentRow) -> tuple[User, str]:
    """The student of a line, created if new, and the new password."""
    known = store().users.by_name(row.username)
    if known is not None:
        if known.role != STUDENT:
            raise DataError(f"“{row.username}” is not a student")
        return known, ""
    secret = row.password or utils.random_password()
    user = store().users.create(row.username, row.display_name, STUDENT, secret)
    return user, secret


@teach.post("/classes/<int:class_id>/students/<int:user_id>/remove")
@roles_required(TEACHER)
def remove_student(class_id: int, user_id: int) -> Any:
    find_class(class_id)
    if not store().classes.remove_member(class_id, user_id):
        abort(404)
    return redirect(url_for("teach.show_class", class_id=class_id))


@teach.route("/classes/<int:class_id>/tasks/new", methods=["GET", "POST"])
@roles_required(TEACHER)
def new_task(class_id: int) -> Any:
    school_class = find_class(class_id)
    if request.method == "GET":
        return render_template("task_form.html", school_class=school_class, steps=[])
    task_id = store().tasks.create(class_id, _task_form())
    return redirect(url_for("learn.task", task_id=task_id))


@teach.route("/tasks/<int:task_id>/edit", methods=["GET", "POST"])
@roles_required(TEACHER)
def edit_task(task_id: int) -> Any:
    found = find_task(task_id)
    if request.method == "POST":
        store().tasks.update(task_id, _task_form())
        return redirect(url_for("learn.task", task_id=task_id))
    return render_template(
        "task_form.html",
        school_class=find_class(found.class_id),
        task=found,
        steps=store().tasks.steps(task_id),
    )


def _task_form() -> models.NewTask:
    form = request.form
    due_on = models.parse_date(form.get("due_on"))
    steps = utils.lines_of(form.get("steps", ""))
    return models.NewTask(form.get("title", ""), form.get("body", ""), due_on, steps)


@teach.post("/tasks/<int:task_id>/publish")
@roles_required(TEACHER)
def publish(task_id: int) -> Any:
    found = find_task(task_id)
    store().tasks.publish(task_id, not found.published)
    return redirect(url_for("learn.task", task_id=task_id))


@teach.post("/tasks/<int:task_id>/delete")
@roles_required(TEACHER)
def delete_task(task_id: int) -> Any:
    found = find_task(task_id)
    store().tasks.delete(task_id)
    flash(f"“{found.title}” has been deleted.", "info")
    return redirect(url_for("teach.show_class", class_id=found.class_id))


@teach.get("/tasks/<int:task_id>/submissions")
@roles_required(TEACHER)
def submissions(task_id: int) -> Any:
    handed_in = store().tasks.submissions(task_id)
    return render_template(
        "submissions.html", task=find_task(task_id), submissions=handed_in
    )


@teach.post("/tasks/<int:task_id>/submissions/<int:user_id>")
@roles_required(TEACHER)
def grade(task_id: int, user_id: int) -> Any:
    find_task(task_id)
    feedback = request.form.get("feedback", "")
    store().tasks.grade(task_id, user_id, number("grade"), feedback)
    return redirect(url_for("teach.submissions", task_id=task_id))


@teach.route("/classes/<int:class_id>/quizzes/new", methods=["GET", "POST"])
@roles_required(TEACHER)
def new_quiz(class_id: int) -> Any:
    school_class = find_class(class_id)
    if request.method == "GET":
        return render_template("quiz_form.html", school_class=school_class)
    quiz_id = store().quizzes.create(
        class_id,
        request.form.get("title", ""),
        utils.parse_quiz(request.form.get("questions", "")),
        number("max_attempts", 3),
        number("pass_percent", 60),
    )
    return redirect(url_for("learn.quiz", quiz_id=quiz_id))


@teach.get("/classes/<int:class_id>/report")
@roles_required(TEACHER)
def report(class_id: int) -> Any:
    compiled = store().report(find_class(class_id))
    return render_template("report.html", report=compiled)


@teach.get("/classes/<int:class_id>/report.csv")
@roles_required(TEACHER)
def report_csv(class_id: int) -> Any:
    compiled = store().report(find_class(class_id))
    name = f"report {compiled.school_class.name}"
    return utils.csv_response(utils.report_csv(compiled), name)


@teach.get("/activity")
@roles_required(TEACHER)
def activity() -> Any:
    manager().analytics.flush(timeout=1.0)
    return render_template(
        "activity.html",
        summary=store().events.summary(),
        pages=store().events.popular(analytics_queue.PAGE_VIEW),
        dropped=manager().analytics.dropped,
    )


app = create_app()
