# shellcheck shell=bash
# Shared by run, test, check and install-deps. Sourced, never executed.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cores=$(nproc)

say() { printf '[%s] %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
# Prints the comment at the top of the script. With --help, the script does nothing else.
usage() { sed -n '2,/^[^#]/s/^#[ ]\{0,1\}//p' "$0"; }
for argument in "$@"; do
    case $argument in
        --help | -h)
            usage
            ! declare -F more_usage >/dev/null || more_usage
            exit
            ;;
    esac
done

have() { command -v "$1" >/dev/null 2>&1; }

# The folder a preset of CMakePresets.json builds in.
build_dir() {
    case $1 in
        release) echo "$top/build" ;;
        *) echo "$top/build-$1" ;;
    esac
}

# configure PRESET
configure() {
    local args=(--preset "$1" --log-level=WARNING)
    have ccache && args+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
    # A folder left by another generator, checkout or version of CMake is recreated.
    (cd "$top" && { cmake "${args[@]}" >/dev/null 2>&1 || cmake --fresh "${args[@]}" >/dev/null; })
}

# build PRESET TARGET...: quiet unless it fails
build() {
    local preset=$1 log
    shift
    configure "$preset" || return
    log=$(build_dir "$preset")/build.log
    nice cmake --build "$(build_dir "$preset")" -j "$cores" --target "$@" >"$log" 2>&1 && return
    cat "$log" >&2
    return 1
}
