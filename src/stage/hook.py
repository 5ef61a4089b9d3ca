"""Says what happens to the bytecode of each module. Found as sitecustomize through PYTHONPATH,
or run by entry.py, on launches that are not timed.

One line an event, tab-separated, appended to the file named by COLDSNAKE_RECEIPT:
    interpreter  executable  pycache_prefix  dont_write_bytecode  optimize  cache_tag
    command      word…                              (what the process was started with)
    groups       path…                              (the control groups that the process is in)
    module       name  path  read|compiled          (path: the source, or the sourceless pyc)
    opened       path                               (with COLDSNAKE_FILES only; also what is mapped)
    broken       name  pyc                          (its code breaks off)
    write        name  written|ERRNO
    before       name  path  read|compiled|written  (imported before this hook was)
    spent        name  nanoseconds  lines           (CPU time in the compiler; lines of its source)
    again        name  compiled  opened             (of a second import of what COLDSNAKE_AGAIN names)

Works on CPython 3.9 to 3.15: it wraps what SourceLoader.get_code calls
(Lib/importlib/_bootstrap_external.py).
"""


def _record_files(say):
    import atexit
    import os
    import sys

    known = set()

    def opened(path):
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if isinstance(path, str) and path not in known:
            known.add(path)
            say("opened", os.path.abspath(path))

    def mapped():
        maps = os.open("/proc/self/maps", os.O_RDONLY | os.O_CLOEXEC)
        pieces = []
        while not pieces or pieces[-1]:
            pieces.append(os.read(maps, 65536))
        os.close(maps)
        for line in os.fsdecode(b"".join(pieces)).splitlines():
            path = line.split(None, 5)[5:]
            if path and path[0].startswith("/"):
                opened(path[0])

    def heard(event, arguments):
        if event == "open":
            opened(arguments[0])

    sys.addaudithook(heard)
    # What was opened before this hook was there.
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.has_location:
            opened(spec.cached if spec.cached and os.path.exists(spec.cached) else spec.origin)
    mapped()
    # Shared libraries are mapped by the C library, without an event. A server that is ended by a
    # signal never comes to its exit, so they are looked at as they come.
    loader = sys.modules["_frozen_importlib_external"].ExtensionFileLoader
    create_module = loader.create_module

    def observed_create(self, spec):
        module = create_module(self, spec)
        mapped()
        return module

    loader.create_module = observed_create
    atexit.register(mapped)


def _import_again(module, say):
    """When the process is about to end: what does a second import do?"""
    import os
    import sys

    process, leave = os.getpid(), os._exit
    counts = {"compile": 0, "open": 0}
    listening = []

    def heard(event, arguments):
        if listening and event in counts:
            counts[event] += 1

    def observed_exit(status):
        # Not in what the app has forked.
        if os.getpid() == process:
            sys.addaudithook(heard)
            listening.append(True)
            try:
                __import__(module)
            except Exception:
                leave(status)
            listening.clear()
            say("again", module, counts["compile"], counts["open"])
        leave(status)

    os._exit = observed_exit


def _observe():
    import os
    import sys
    import time

    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]
    here = os.path.dirname(__file__)
    descriptor = os.open(os.environ["COLDSNAKE_RECEIPT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    spawned = int(os.environ["COLDSNAKE_SPAWNED"])

    def say(*fields):
        line = "\t".join(str(field).replace("\t", " ").replace("\n", " ") for field in fields) + "\n"
        os.write(descriptor, line.encode("utf-8", "backslashreplace"))

    say("interpreter", sys.executable, sys.pycache_prefix or "", int(bool(sys.dont_write_bytecode)), sys.flags.optimize, sys.implementation.cache_tag or "")
    # Not sys.orig_argv, which 3.9 does not have.
    words = os.open("/proc/self/cmdline", os.O_RDONLY | os.O_CLOEXEC)
    pieces = []
    while not pieces or pieces[-1]:
        pieces.append(os.read(words, 65536))
    os.close(words)
    say("command", *b"".join(pieces).decode("utf-8", "replace").split("\0")[:-1])

    if "COLDSNAKE_FILES" in os.environ:
        _record_files(say)
    if "COLDSNAKE_AGAIN" in os.environ:
        _import_again(os.environ["COLDSNAKE_AGAIN"], say)

    groups = os.open("/proc/self/cgroup", os.O_RDONLY | os.O_CLOEXEC)
    lines = os.read(groups, 65536).decode("utf-8", "replace").splitlines()
    os.close(groups)
    say("groups", *(line.split(":", 2)[-1] for line in lines))

    # This hook must leave no trace: its own pyc, and the folders made for it, go first.
    own = external.cache_from_source(__file__)
    try:
        os.unlink(own)
        folder = os.path.dirname(own)
        while folder != sys.pycache_prefix:
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        pass

    def state_of(spec):
        """Of a module that was imported before: was its pyc taken?"""
        try:
            pyc = os.open(spec.cached, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return "compiled"
        header = os.read(pyc, 16)
        written = os.fstat(pyc).st_mtime_ns >= spawned
        os.close(pyc)
        if written:
            return "written"
        if len(header) != 16 or header[:4] != external.MAGIC_NUMBER:
            return "compiled"
        word = lambda index: int.from_bytes(header[index * 4 : index * 4 + 4], "little")
        source = os.stat(spec.origin)
        if word(1) == 0 and (word(2) != int(source.st_mtime) & 0xFFFFFFFF or word(3) != source.st_size & 0xFFFFFFFF):
            return "compiled"
        return "read"

    # os.path is posixpath by another name: a module counts once.
    for module in {id(module): module for module in list(sys.modules.values())}.values():
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.name == __name__ or not spec.has_location or not spec.cached:
            continue
        if type(spec.loader).__name__ != "SourceFileLoader":
            continue
        state = state_of(spec)
        say("before", spec.name, spec.origin, state)

    failure = []
    verbose_message = bootstrap._verbose_message

    def observed_message(message, *args, **keywords):
        if message.startswith("could not create") and args and isinstance(args[-1], OSError):
            failure.append(args[-1])
        return verbose_message(message, *args, **keywords)

    bootstrap._verbose_message = observed_message

    compile_bytecode = external._compile_bytecode

    def observed_unmarshal(data, name=None, bytecode_path=None, source_path=None):
        try:
            code = compile_bytecode(data, name, bytecode_path, source_path)
        except EOFError:
            say("broken", name, bytecode_path)
            raise
        say("module", name, source_path or bytecode_path, "read")
        return code

    external._compile_bytecode = observed_unmarshal

    loader = external.SourceFileLoader
    source_to_code = loader.source_to_code

    def observed_compile(self, data, path, *args, **keywords):
        started = time.thread_time_ns()
        code = source_to_code(self, data, path, *args, **keywords)
        spent = time.thread_time_ns() - started
        say("module", self.name, path, "compiled")
        say("spent", self.name, spent, bytes(data).count(b"\n"))
        return code

    loader.source_to_code = observed_compile
    set_data = loader.set_data

    def observed_write(self, path, data, **keywords):
        del failure[:]
        result = set_data(self, path, data, **keywords)
        if failure:
            import errno

            say("write", self.name, errno.errorcode.get(failure[-1].errno, failure[-1].errno))
        else:
            say("write", self.name, "written")
        return result

    loader.set_data = observed_write

    sys.path[:] = [entry for entry in sys.path if entry != here]
    sys.path_importer_cache.pop(here, None)
    if __name__ != "sitecustomize":
        return
    # The interpreter may have a sitecustomize of its own; it runs as it would have.
    hook = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        # The import of this hook is not over, and looks itself up at its end.
        sys.modules["sitecustomize"] = hook


_observe()
