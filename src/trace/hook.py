"""Says when the import system does what. Found as sitecustomize through PYTHONPATH, or run by
enter.py, in launches that are traced.

Tab-separated lines are appended to the file named by COLDSNAKE_TRACE. Times are nanoseconds of
perf_counter_ns, on Linux those of CLOCK_MONOTONIC, which the harness reads, too:
    process    PID PARENT THREAD TIME MODULES   (an interpreter has come this far, with so many modules)
    fork       PID PARENT THREAD TIME           (a process of its own from now on)
    in         PID THREAD                       (what follows happened there)
    find       BEGIN END NAME LOADER FILE       (LOADER - where nothing was found)
    compile    BEGIN END NAME LINES
    read|unmarshal|write|dlopen|execute|import|tracer  BEGIN END NAME  (no name: that of what it is part of)
    begun      BEGIN BEGIN NAME                 (an execution has begun)
    end        PID TIME                         (all of the program's own exit functions have run)

A span is written when it is over. Lines leave the process whenever an import ends, so that little
is lost when it is ended by a signal or by os._exit, and nothing if it waits for requests then.

Works on CPython 3.9 to 3.15: it wraps what importlib calls (Lib/importlib/_bootstrap.py,
_bootstrap_external.py, Lib/zipimport.py). It is compiled under importlib's own file name, so that
tracebacks and the stack levels of warnings leave its frames out as they do importlib's.
"""


def _trace():
    from time import perf_counter_ns as now

    began = now()
    import atexit
    import posix
    import sys
    from _thread import get_ident

    here = __file__.rpartition("/")[0]
    path = posix.environ.get(b"COLDSNAKE_TRACE")
    # No file of the program's own has such a number, and the selectors' limit is 1024.
    number = 1000

    def opened():
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC
        low = posix.open(path, flags, 0o666)
        try:
            high = posix.dup2(low, number, inheritable=False)
        except OSError:
            return low
        posix.close(low)
        return high

    def put(text):
        nonlocal descriptor
        if descriptor is None:
            return
        data = text.encode("utf-8", "backslashreplace")
        try:
            posix.write(descriptor, data)
        except OSError:
            # Daemons close what they did not open.
            try:
                descriptor = opened()
                posix.write(descriptor, data)
            except OSError:
                descriptor = None

    def leave_path():
        sys.path[:] = [entry for entry in sys.path if entry != here]
        sys.path_importer_cache.pop(here, None)

    def hand_over():
        """The interpreter may have a sitecustomize of its own; it runs as it would have."""
        if __name__ != "sitecustomize":
            return
        hook = sys.modules.pop("sitecustomize")
        try:
            import sitecustomize  # noqa: F401
        except ImportError as error:
            # The import of this hook is not over, and looks itself up at its end.
            sys.modules["sitecustomize"] = hook
            if error.name != "sitecustomize":
                raise

    leave_path()
    try:
        descriptor = opened() if path else None
    except OSError:
        descriptor = None
    if descriptor is None:
        hand_over()
        return

    pid = posix.getpid()
    put(f"process\t{pid}\t{posix.getppid()}\t{get_ident()}\t{began}\t{len(sys.modules)}\n")

    class Thread:
        __slots__ = ("ident", "spans")

        def __init__(self, ident):
            self.ident = ident
            self.spans = []

    class Threads(dict):
        def __missing__(self, ident):
            mine = self[ident] = Thread(ident)
            return mine

    threads = Threads()

    def plain(text):
        text = str(text)
        return text if text.isprintable() else ascii(text)[1:-1]

    def found(spec):
        if spec is None:
            return ("-", "")
        loader = getattr(spec, "loader", None)
        kind = loader.__name__ if isinstance(loader, type) else type(loader).__name__
        return (kind, spec.origin if getattr(spec, "has_location", False) else "")

    def flush(mine):
        begun = now()
        spans, mine.spans = mine.spans, []
        lines = [f"in\t{pid}\t{mine.ident}\n"]
        tabs = 2
        for kind, start, end, name, more in spans:
            tabs += 3
            if kind == "find":
                loader, file = found(more)
                lines.append(f"find\t{start}\t{end}\t{name}\t{loader}\t{file}\n")
                tabs += 2
            elif kind == "compile":
                lines.append(f"compile\t{start}\t{end}\t{name}\t{more}\n")
                tabs += 1
            else:
                lines.append(f"{kind}\t{start}\t{end}\t{name}\n")
        text = "".join(lines)
        # A name may hold anything; looking at each would take longer than all the rest.
        if text.count("\t") != tabs or text.count("\n") != len(lines):
            for index, span in enumerate(spans, 1):
                kind, start, end, name, more = span
                words = found(more) if kind == "find" else (more,) if kind == "compile" else ()
                fields = "\t".join(map(plain, (kind, start, end, name, *words)))
                lines[index] = fields + "\n"
            text = "".join(lines)
        put(text)
        mine.spans.append(("tracer", begun, now(), "", None))

    bootstrap = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]

    find_and_load = bootstrap._find_and_load_unlocked

    # 3.15 has keywords that older ones have not.
    def _find_and_load_unlocked(name, *rest, **keywords):
        mine = threads[get_ident()]
        start = now()
        try:
            return find_and_load(name, *rest, **keywords)
        finally:
            mine.spans.append(("import", start, now(), name, None))
            flush(mine)

    bootstrap._find_and_load_unlocked = _find_and_load_unlocked

    find_spec = bootstrap._find_spec

    def _find_spec(name, *rest, **keywords):
        spec = None
        start = now()
        try:
            spec = find_spec(name, *rest, **keywords)
            return spec
        finally:
            threads[get_ident()].spans.append(("find", start, now(), name, spec))

    bootstrap._find_spec = _find_spec

    execute = exec
    kinds = {
        bootstrap._imp.create_dynamic: "dlopen",
        bootstrap._imp.exec_dynamic: "dlopen",
        bootstrap._imp.create_builtin: "execute",
        bootstrap._imp.exec_builtin: "execute",
        bootstrap._imp.get_frozen_object: "unmarshal",
    }

    def _call_with_frames_removed(call, *args, **keywords):
        if call is execute:
            mine = threads[get_ident()]
            name = args[1].get("__name__", "") if len(args) > 1 else ""
            start = now()
            begun = ("begun", start, start, name, None)
            mine.spans.append(begun)
            try:
                return call(*args, **keywords)
            finally:
                end = now()
                spans = mine.spans
                # Nothing came between, and nothing was written.
                if spans and spans[-1] is begun:
                    spans.pop()
                spans.append(("execute", start, end, name, None))
        # Not every callable can be looked up.
        kind = kinds.get(call) if type(call) is builtin else None
        if kind is None:
            return call(*args, **keywords)
        start = now()
        try:
            return call(*args, **keywords)
        finally:
            threads[get_ident()].spans.append((kind, start, now(), "", None))

    builtin = type(execute)
    bootstrap._call_with_frames_removed = _call_with_frames_removed

    frozen = bootstrap.FrozenImporter
    execute_frozen = frozen.exec_module

    def exec_module(module):
        name = module.__name__
        start = now()
        threads[get_ident()].spans.append(("begun", start, start, name, None))
        try:
            return execute_frozen(module)
        finally:
            threads[get_ident()].spans.append(("execute", start, now(), name, None))

    frozen.exec_module = staticmethod(exec_module)

    loader = external.SourceFileLoader
    path_stats = loader.path_stats

    def observed_stats(self, path):
        start = now()
        try:
            return path_stats(self, path)
        finally:
            threads[get_ident()].spans.append(("read", start, now(), getattr(self, "name", ""), None))

    loader.path_stats = observed_stats

    get_data = external.FileLoader.get_data

    def observed_data(self, path):
        start = now()
        try:
            return get_data(self, path)
        finally:
            threads[get_ident()].spans.append(("read", start, now(), getattr(self, "name", ""), None))

    external.FileLoader.get_data = observed_data

    source_to_code = loader.source_to_code

    def observed_compile(self, data, path, *args, **keywords):
        lines = data.count(b"\n") if isinstance(data, bytes) else 0
        start = now()
        try:
            return source_to_code(self, data, path, *args, **keywords)
        finally:
            threads[get_ident()].spans.append(("compile", start, now(), getattr(self, "name", ""), lines))

    loader.source_to_code = observed_compile

    cache_bytecode = loader._cache_bytecode

    def observed_write(self, *args, **keywords):
        start = now()
        try:
            return cache_bytecode(self, *args, **keywords)
        finally:
            threads[get_ident()].spans.append(("write", start, now(), getattr(self, "name", ""), None))

    loader._cache_bytecode = observed_write

    def nameless(kind, call):
        def observed(*args, **keywords):
            start = now()
            try:
                return call(*args, **keywords)
            finally:
                threads[get_ident()].spans.append((kind, start, now(), "", None))

        return observed

    compile_bytecode = external._compile_bytecode

    def observed_unmarshal(data, name=None, *rest, **keywords):
        start = now()
        try:
            return compile_bytecode(data, name, *rest, **keywords)
        finally:
            threads[get_ident()].spans.append(("unmarshal", start, now(), name or "", None))

    external._compile_bytecode = observed_unmarshal
    external._code_to_timestamp_pyc = nameless("write", external._code_to_timestamp_pyc)
    external._code_to_hash_pyc = nameless("write", external._code_to_hash_pyc)

    archives = sys.modules.get("zipimport")
    if archives is not None:
        for kind, name in (("read", "_get_data"), ("unmarshal", "_unmarshal_code")):
            call = getattr(archives, name, None)
            if call is not None:
                setattr(archives, name, nameless(kind, call))
        compile_source = getattr(archives, "_compile_source", None)
        if compile_source is not None:

            def observed_source(pathname, source):
                lines = source.count(b"\n") if isinstance(source, bytes) else 0
                start = now()
                try:
                    return compile_source(pathname, source)
                finally:
                    threads[get_ident()].spans.append(("compile", start, now(), "", lines))

            archives._compile_source = observed_source
        # Before 3.10 it executes without telling importlib.
        if not hasattr(archives.zipimporter, "exec_module"):
            archives.zipimporter.load_module = nameless("execute", archives.zipimporter.load_module)

    def forked():
        nonlocal pid
        parent, pid = pid, posix.getpid()
        ident = get_ident()
        mine = threads[ident]
        # What the parent had not written yet, it writes itself.
        mine.spans = []
        threads.clear()
        threads[ident] = mine
        put(f"fork\t{pid}\t{parent}\t{ident}\t{now()}\n")

    posix.register_at_fork(after_in_child=forked)

    def ended():
        time = now()
        for mine in list(threads.values()):
            flush(mine)
        put(f"end\t{pid}\t{time}\n")

    # The first to be registered is the last to be called.
    atexit.register(ended)

    threads[get_ident()].spans.append(("tracer", began, now(), "", None))
    hand_over()


_trace()
