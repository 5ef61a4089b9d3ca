"""Says which files a command's code comes from. Found as sitecustomize through PYTHONPATH, on the
one launch that finds out what an app is.

One line an event, tab-separated, appended to the file named by COLDSNAKE_INFERENCE:
    python  sys.executable
    path    an entry of sys.path, absolute
    file    a module's source or shared object, absolute

It listens to audit events (PEP 578), which reach it from imports of every kind, from `__main__`,
and in forked children.
"""


def _observe():
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    report = os.environ["COLDSNAKE_INFERENCE"]

    def say(kind, text):
        # Opened each time: a program that turns into a daemon closes what it does not know.
        line = b"%s\t%s\n" % (kind, os.fsencode(text))
        descriptor = os.open(report, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    said = set()

    def tell(kind, text):
        if (kind, text) not in said and "\n" not in text:
            said.add((kind, text))
            say(kind, text)

    def found(name):
        if not isinstance(name, str) or not name or name.startswith("<") or (b"name", name) in said:
            return
        said.add((b"name", name))
        path = os.path.abspath(name)
        if path.startswith(here + os.sep):
            return
        for entry in list(sys.path):
            if isinstance(entry, str):
                tell(b"path", os.path.abspath(entry))
        tell(b"file", path)

    def listen(event, args):
        if event == "exec":
            name = getattr(args[0], "co_filename", None)
            if getattr(args[0], "co_name", None) != "<module>":
                return
        elif event == "import":
            name = args[1]
        else:
            return
        try:
            found(name)
        except Exception:
            # An exception of a hook would end what the app is doing.
            pass

    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    sys.path_importer_cache.pop(here, None)
    try:
        tell(b"python", sys.executable or "")
        for module in list(sys.modules.values()):
            spec = getattr(module, "__spec__", None)
            if spec is not None and spec.has_location:
                found(spec.origin)
    except Exception:
        pass
    sys.addaudithook(listen)

    # The interpreter may have a sitecustomize of its own; it runs as it would have.
    hook = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        # The import of this hook is not over, and looks itself up at its end.
        sys.modules["sitecustomize"] = hook


_observe()
