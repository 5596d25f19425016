# shellcheck shell=bash
# What the benchmarks share: a temporary folder, processes that end with the script, medians, tables, and the section of
# docs/benchmarks.md that each of them writes. Sourced.

# Each takes numbers, or prints its own description: the comment at its top.
for argument in "$@"; do
  [[ $argument =~ ^[1-9][0-9]*$ ]] && continue
  sed -n '2,/^[^#]/s/^#[ ]\{0,1\}//p' "$0"
  [[ $argument == --help || $argument == -h ]] && exit 0
  exit 2
done

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${CHORUS_BIN:-$top/build/chorus}
work=$(mktemp -d)
pids=()
# shellcheck disable=SC2317
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# need PACKAGES TOOL...
need() {
  local tool packages=$1
  shift
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install $packages" >&2; exit 1; }
  done
  [ -x "$bin" ] || { echo "$bin is missing: scripts/run builds it" >&2; exit 1; }
}

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'; }

# Starts `chorus up` with kernel-chosen ports and further arguments; url NAME prints the URL of a part.
start_chorus() {
  "$bin" up --data "$work/data" --manager-port 0 --comment-port 0 --statistics-port 0 --reader-ports 0 \
    --log-level warn "$@" >"$work/box" 2>"$work/log" & pids+=($!)
  # shellcheck disable=SC2034 # for the scripts that source this
  chorus=$!
  for _ in $(seq 100); do grep -q '^  comment' "$work/box" && return; sleep 0.1; done
  cat "$work/log" >&2
  exit 1
}
# Stops one of the processes in pids.
end() {
  local pid left=()
  kill "$1"
  wait "$1" || true
  for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
  pids=("${left[@]}")
}

# The same, with the data of an earlier one removed.
fresh_chorus() {
  rm -rf "$work/data"
  : >"$work/box"
  start_chorus "$@"
}

# drive RUN ARGUMENTS...: runs `chorus bench`, with its figures in $work/RUN.json; if it fails, so does the script.
drive() {
  "$bin" bench --json "$work/$1.json" "${@:2}" >"$work/bench.out" || { cat "$work/bench.out" >&2; exit 1; }
}
# Whatever is measured, Chorus must not lose, duplicate or reorder anything.
complete=lost=0,duplicated=0,out_of_order=0
drive_chorus() { drive "$1" --require "$complete" --manager-url "$(url manager)" --comment-url "$(url comment)" "${@:2}"; }

# table HEADS COLUMN... -- ROW..., value FIGURES: medians over $rounds rounds, as described in table.mjs
# shellcheck disable=SC2154 # the script's
table() { node "$top/bench/table.mjs" "$work" "$rounds" "$@"; }
# shellcheck disable=SC2154
value() { node "$top/bench/table.mjs" "$work" "$rounds" --value "$1"; }

# deliveries_per_comment VIEWERS VIDEOS: the number to expect where viewers and comments both follow zipf:1.0
deliveries_per_comment() {
  awk -v viewers="$1" -v videos="$2" 'BEGIN {
    for (k = 1; k <= videos; k++) { sum += 1 / k; squares += 1 / k / k }
    print viewers * squares / sum / sum }'
}

# section NAME: prints stdin, and replaces the section of that name in docs/benchmarks.md (or $DOCS) with it.
section() {
  local docs=${DOCS-$top/docs/benchmarks.md}
  tee "$work/section"
  awk -v name="$1" -v file="$work/section" '
    function insert(line) { print ""; while ((getline line <file) > 0) print line; print "" }
    $0 == "<!-- /bench:" name " -->" { inside = 0 }
    !inside
    $0 == "<!-- bench:" name " -->" { inside = found = 1; insert() }
    END { if (!found) { print "\n<!-- bench:" name " -->"; insert(); print "<!-- /bench:" name " -->" } }
  ' "$docs" >"$work/benchmarks.md" && cat "$work/benchmarks.md" >"$docs"
}
now() { date -u '+%Y-%m-%d, %H:%M UTC'; }

url() { awk -v name="$1" '$1 == name { print $2 }' "$work/box"; }

# wrk's script for POST /comment: comments of 120 bytes on 100 videos
write_post_lua() {
  cat >"$work/post.lua" <<'LUA'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local requests, n = {}, 0
init = function()
  local text = string.rep("x", 120)
  for i = 1, 1000 do -- made once: the generator shares the cores with the server
    requests[i] = wrk.format(nil, nil, nil, '{"userid":"user' .. i .. '","videoid":"video' .. i % 100 .. '","comment":"' .. text .. '"}')
  end
end
request = function()
  n = n % 1000 + 1
  return requests[n]
end
LUA
}

# leave ARGUMENTS...: leave.mjs, in a network of its own: all ports are free, and what the kernel counts is its own.
leave() {
  # shellcheck disable=SC2016
  CHORUS_BIN=$bin unshare --net --map-root-user sh -c 'ip link set lo up && exec "$@"' sh node "$top/bench/leave.mjs" "$@"
}

# with_wrk NAME CONNECTIONS SECONDS ARGUMENTS...: adds requests per second to $work/NAME
with_wrk() {
  local name=$1 connections=$2 seconds=$3 out
  shift 3
  out=$(wrk -t1 "-c$connections" -d"${seconds}s" "$@")
  ! grep -q 'Non-2xx\|Socket errors' <<<"$out" || { echo "$name failed: $out" >&2; exit 1; }
  awk '/Requests\/sec/ { print $2 }' <<<"$out" >>"$work/$name"
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
# ratio A B: the median of the rounds' own ratios
ratio() { paste "$work/$1" "$work/$2" | awk '{ print $1 / $2 }' >"$work/ratio" && printf '%.2f' "$(median "$work/ratio")"; }
row() { printf '| %s | %.0f | %s | %s |\n' "$2" "$(median "$work/$1")" "$(sort -n "$work/$1" | awk '{ v[NR] = $1 } END { printf "%.0f-%.0f", v[1], v[NR] }')" "$3"; }
load_before=$(cut -d' ' -f1 /proc/loadavg)
machine() { echo "$(nproc) cores ($(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)), Linux $(uname -r), $("$bin" --version); load average before it: $load_before"; }
