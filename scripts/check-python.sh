#!/bin/sh
# Say clearly when the Python at hand is too old or is not there: check-python.sh PYTHON
set -eu

python=${1:?usage: check-python.sh PYTHON}
if ! command -v "$python" >/dev/null 2>&1; then
    echo "makerhub: there is no “$python” here; install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "makerhub: needs Python 3.11 or newer; “$python” is $("$python" --version 2>&1). Name another: make PYTHON=/path/to/python3" >&2
    exit 1
fi
