import resource
import subprocess
import sys

import uvloop

from makerhub.fleet.loops import looks_at_once, new_event_loop


def test_the_quick_loop_is_taken_where_there_is_one() -> None:
    loop = new_event_loop()
    try:
        assert isinstance(loop, uvloop.Loop)
    finally:
        loop.close()


def limited_to(hard: int) -> list[int]:
    """What a process that begins with few open files, and may have so many, makes of it."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}));"
        "from makerhub.fleet.loops import connections_kept, looks_at_once, open_files;"
        "print(open_files(), connections_kept(), looks_at_once())"
    )
    ran = subprocess.run([sys.executable, "-c", script.format(hard=hard)], capture_output=True, text=True, check=True)
    return [int(number) for number in ran.stdout.split()]


def test_a_process_asks_for_as_many_open_files_as_it_is_allowed() -> None:
    assert limited_to(256) == [256, 128, 64]
    assert limited_to(min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))[0] > 256


def test_looks_are_bounded_however_many_files_may_be_open() -> None:
    assert 0 < looks_at_once() <= 4000


def test_what_lives_for_a_second_is_not_looked_through_again_and_again() -> None:
    script = (
        "import gc; from makerhub.fleet.loops import collect_garbage_seldom; collect_garbage_seldom();"
        "print(gc.isenabled(), gc.get_threshold()[0] >= 50_000, gc.get_freeze_count() > 1000)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True"] * 3
