#!/bin/sh
# Installs pygama into .venv beside this checkout, and on Debian and its kin the system libraries that Qt needs.
#   sh resources/setup.sh          install
#   sh resources/setup.sh demo     install, then process a made-up run: in the window if there is a display
#   sh resources/setup.sh test     install, then run the tests
set -eu
cd "$(dirname "$0")/.."
what="${1:-install}"

QT_PACKAGES="libglib2.0-0 libgl1 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 libxcb-icccm4 libxcb-image0
libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0"

missing_packages() {
    for package in $QT_PACKAGES; do
        dpkg -s "$package" >/dev/null 2>&1 || dpkg -s "${package}t64" >/dev/null 2>&1 || printf '%s ' "$package"
    done
    headers="$(python3 -c 'import os, sysconfig; print(os.path.join(sysconfig.get_path("include"), "Python.h"))')"
    case "$(command -v python3)" in
        /usr/bin/*) [ -e "$headers" ] || printf 'python3-dev ' ;;
    esac
    [ -e /usr/include/stdlib.h ] || printf 'libc6-dev '
    python3 -c 'import ensurepip' >/dev/null 2>&1 || printf 'python3-venv '
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_system_packages() {
    command -v apt-get >/dev/null 2>&1 || return 0
    packages="$(missing_packages)"
    [ -n "$packages" ] || return 0
    echo "Installing what Qt needs from the system: $packages"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null 2>&1; then
        echo "This needs root and there is no sudo. Ask an administrator for: apt-get install $packages" >&2
        return 0
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages
}

install_system_packages
[ -x .venv/bin/python ] || python3 -m venv .venv
extras=""
[ "$what" = test ] && extras="[test]"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".$extras"
.venv/bin/python -m compileall -q pygama pygama_gui
.venv/bin/python -m pygama about

case "$what" in
    demo)
        if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname)" = Darwin ]; then
            exec .venv/bin/pygama-gui --demo
        fi
        mkdir -p demo_run
        exec .venv/bin/pygama demo -o demo_run
        ;;
    test) exec .venv/bin/python -m pytest -n auto ;;
esac
