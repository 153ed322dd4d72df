"""The pages' server starts and ends cleanly, however often, and under load."""

import threading
import urllib.request

import pytest
from flask import Flask

from makerhub.web.server import AddressTaken, serving


@pytest.fixture
def web() -> Flask:
    web = Flask("greeting")
    web.add_url_rule("/", view_func=lambda: "hello")
    return web


def read(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 # the address is our own server
        return str(answer.read().decode())


def test_begins_and_ends_many_times_while_it_is_asked(web: Flask) -> None:
    for _ in range(30):
        with serving(web, "127.0.0.1") as address:
            askers = [threading.Thread(target=read, args=(address,)) for _ in range(4)]
            for asker in askers:
                asker.start()
            assert read(address) == "hello"
            for asker in askers:
                asker.join()


def test_a_taken_port_is_named(web: Flask) -> None:
    with serving(web, "127.0.0.1") as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(AddressTaken, match=str(port)), serving(web, "127.0.0.1", port):
            pass
    with serving(web, "127.0.0.1", port) as again:
        assert read(again) == "hello"
