#!/bin/sh
# Install the Debian packages that makerhub needs and this machine lacks: system-packages.sh setup|demo|test
#
# Does nothing, in milliseconds, when all are there. Needs root or sudo only when something is missing.
set -eu

missing=""

need() { # need PACKAGE CHECK...: the package is missing when the check fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

installed() {
    dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

has_libatomic() { # the Node.js that Playwright brings is linked to it
    installed libatomic1 || /sbin/ldconfig -p 2>/dev/null | grep -q 'libatomic\.so\.1'
}

has_liberation_fonts() {
    installed fonts-liberation || fc-list 2>/dev/null | grep -q 'Liberation'
}

give_up() {
    echo "makerhub: $1" >&2
    echo "makerhub: please install, in your system's own way:$missing" >&2
    echo "makerhub: on Debian and Ubuntu that is: apt-get install --no-install-recommends$missing" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Debian's python3 comes without the modules that make a virtual environment.
need python3-venv "${PYTHON:-python3}" -c 'import ensurepip, venv'
case "${1:-}" in
setup) ;;
demo)
    need prusa-slicer command -v prusa-slicer
    ;;
test)
    need prusa-slicer command -v prusa-slicer
    need chromium command -v chromium
    need fonts-liberation has_liberation_fonts
    need libatomic1 has_libatomic
    ;;
*)
    echo "usage: system-packages.sh setup|demo|test" >&2
    exit 2
    ;;
esac

[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null 2>&1 || give_up "there is no apt-get here"
[ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 || give_up "installing packages needs root or sudo"

echo "makerhub: installing$missing with apt-get (the slicer and the browser are large: some minutes)"
as_root apt-get -qq update || give_up "apt-get update failed: is there a network?"
# shellcheck disable=SC2086 # the list is meant to be split into words
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing >/dev/null || give_up "apt-get could not install them"
