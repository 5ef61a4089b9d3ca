"""Burns a fixed amount of work, and more or sleeps besides if it is told to."""

# Not os, which takes long to load where nothing else needs it.
from posix import _exit, environ
from time import perf_counter, sleep

# A sleep ends late by what the kernel takes for it, so the last of it is spent awake.
AWAKE_S = 0.0005


def work(rounds):
    for _ in range(rounds):
        pass


def pause(seconds):
    end = perf_counter() + seconds
    sleep(seconds - AWAKE_S)
    while perf_counter() < end:
        pass


work(20_000 + int(environ.get(b"MORE_WORK", 0)))
if b"SLEEP_MS" in environ:
    pause(float(environ[b"SLEEP_MS"]) / 1e3)
# After a sleep the CPU's caches hold what others left there, and whatever comes then takes longer:
# next to nothing does.
_exit(0)
