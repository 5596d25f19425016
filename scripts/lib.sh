# shellcheck shell=bash
# Shared by run, test, check and install-deps. Sourced, never executed.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cores=$(nproc)

# STEP, such as 1/3, takes the place of the script's name.
say() { printf '[%s] %s\n' "${STEP-${0##*/}}" "$*" >&2; }
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

# Prints the seconds of CPU of this script and of all that it has waited for: proc(5), utime to cstime, in clock ticks.
cpu_seconds() { sed 's/.*) //' /proc/$$/stat | awk '{ printf "%.1f\n", ($12 + $13 + $14 + $15) / 100 }'; }

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

# watched TEXT LOG COMMAND...: runs the command, with its output in LOG. If that takes longer than a second it says what is being
# done and for how long: on a terminal in a line that goes on counting, elsewhere every 15 s; at the end how long it took.
watched() {
    local text=$1 log=$2 begin=$EPOCHREALTIME status=0 ticker
    shift 2
    : >"$log"
    tick "$text" "$log" &
    ticker=$!
    "$@" >"$log" 2>&1 || status=$?
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    if [ "$(seconds_since "$begin")" -ge 1 ]; then
        [ $status = 0 ] && text+=': done' || text+=': failed'
        [ ! -t 2 ] || printf '\r\033[K' >&2
        say "$text after $(seconds_since "$begin") s"
    fi
    return $status
}
seconds_since() { echo $(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 1000000)); }
tick() {
    local text=$1 log=$2 begin=$EPOCHREALTIME next=1 now line nothing
    exec {nothing}<> <(:)
    while kill -0 $$ 2>/dev/null; do
        read -rt 1 -u "$nothing" || true
        now=$(seconds_since "$begin")
        line="$text: $(progress "$log")$now s"
        if [ -t 2 ]; then
            printf '\r\033[K[%s] %s' "${STEP-${0##*/}}" "$line" >&2
        elif [ "$now" -ge "$next" ]; then
            say "$line"
            next=$((now + 15))
        fi
    done
}
# How far it is: ninja's [12/345], or what apt writes to its status descriptor.
progress() {
    sed -nE 's/^\[([0-9]+\/[0-9]+)\] .*/\1, /p; s/^dlstatus:[^:]*:([0-9]+).*/downloading, \1 %, /p; s/^pmstatus:[^:]*:([0-9]+).*/unpacking, \1 %, /p' "$1" | tail -n 1
}

# build PRESET TARGET...: quiet unless it fails; with STEP it says how far it is
build() {
    local preset=$1 log
    shift
    configure "$preset" || return
    log=$(build_dir "$preset")/build.log
    local command=(nice cmake --build "$(build_dir "$preset")" -j "$cores" --target "$@")
    if [ -n "${STEP-}" ]; then
        watched "building" "$log" "${command[@]}" && return
    else
        "${command[@]}" >"$log" 2>&1 && return
    fi
    cat "$log" >&2
    return 1
}
