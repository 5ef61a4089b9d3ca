"""Runs the hook and then what an interpreter was to run, where the hook cannot come by itself.

Under -I and -E no PYTHONPATH is followed, under -S no sitecustomize is looked for. The interpreter
gets this text by -c, with the hook's path and the words that stood behind its flags:
    HOOK -c CODE …  |  HOOK -m MODULE …  |  HOOK SCRIPT …

What is run finds __main__, sys.argv and sys.path as the interpreter would have made them
(Modules/main.c; Python/pathconfig.c, _PyPathConfig_ComputeSysPathArgv).
"""


def _enter():
    import sys

    hook, first, *words = sys.argv[1:]
    with open(hook, encoding="utf-8") as file:
        exec(compile(file.read(), hook, "exec"), {"__name__": "coldsnake_hook", "__file__": hook})

    import os
    import zipimport

    main = sys.modules["__main__"].__dict__
    del main["_enter"]
    main["__doc__"] = None
    # -c has put the working directory first, unless no folder of that kind is wanted.
    wants_folder = not (sys.flags.isolated or getattr(sys.flags, "safe_path", False))

    def run_module(name, alter_argv):
        import runpy

        runpy._run_module_as_main(name, alter_argv)

    if first[:2] in ("-c", "-m"):
        what = first[2:] or words.pop(0)
        sys.argv[:] = [first[:2], *words]
        if first[:2] == "-c":
            exec(compile(what, "<string>", "exec", dont_inherit=True), main)
            return
        if wants_folder:
            sys.path[0] = os.getcwd()
        run_module(what, True)
        return

    sys.argv[:] = [first, *words]
    try:
        zipimport.zipimporter(first)
        holds_main = True
    except zipimport.ZipImportError:
        holds_main = os.path.isdir(first)
    if holds_main:
        # Such a folder or archive comes first even under -I.
        sys.path[: int(wants_folder)] = [os.path.abspath(first)]
        run_module("__main__", False)
        return
    if wants_folder:
        sys.path[0] = os.path.dirname(os.path.realpath(first))
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", first)
    main.update(__file__=os.path.abspath(first), __cached__=None, __loader__=loader)
    with open(first, "rb") as file:
        code = compile(file.read(), first, "exec", dont_inherit=True)
    exec(code, main)


_enter()
