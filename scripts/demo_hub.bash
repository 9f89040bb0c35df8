# What the demos share: a place to work in, the build, and a hub with sites on this machine. To be
# sourced, with the tree's folder in $top.
# shellcheck shell=bash disable=SC2154

fail() {
    printf 'demo: %s\n' "$1" >&2
    exit "${2:-1}"
}

say() {
    printf '\n== %s\n' "$1"
}

bin=$top/build/release/bin
declare -A running=() # name -> process number of every program that this script has started

stop_all() {
    local name
    for name in "${!running[@]}"; do
        kill "${running[$name]}" 2>/dev/null || true
    done
    for name in "${!running[@]}"; do
        wait "${running[$name]}" 2>/dev/null || true
    done
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# Checks $port and $out, and removes an earlier demo's folder.
take_place() {
    [[ $port =~ ^[1-9][0-9]*$ && $port -le 65535 ]] || fail "--port $port: give 1 to 65535" 2
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        fail "port $port on 127.0.0.1 is taken: stop the other program or choose another with \
--port" 75
    fi
    mkdir -p "$(dirname "$out")"
    out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
    if [ -e "$out" ]; then
        [ -e "$out/made-by-sotto-demo" ] ||
            fail "$out exists and is no demo's folder: choose another with --out" 73
        rm -rf "$out"
    fi
}

build_programs() {
    local log
    log=$(mktemp)
    say "Building"
    if ! {
        (cd "$top" && cmake --preset release) &&
            cmake --build "$top/build/release" -j "$(nproc)" --target programs
    } >"$log" 2>&1; then
        grep -E 'error|warning' "$log" | head >&2 || true
        fail "the build failed: $log"
    fi
    rm -f "$log"
}

hub() { "$bin/sotto-admin" --credential "$out/hub/admin" "$@"; }

start_hub() {
    "$bin/sotto-coordinator" serve --state "$out/hub" >>"$out/hub.log" 2>&1 &
    running[hub]=$!
    local tries
    for tries in $(seq 100); do
        if hub status --json >/dev/null 2>&1; then return; fi
        kill -0 "${running[hub]}" 2>/dev/null || break
        [ "$tries" = 100 ] || sleep 0.1
    done
    fail "the hub did not start: $(tail -n 1 "$out/hub.log")" 69
}

start_site() {
    "$bin/sotto-participant" run --state "$out/sites/$1" >>"$out/sites/$1.log" 2>&1 &
    running[$1]=$!
}

murder() { # SIGKILL and forget
    kill -KILL "${running[$1]}"
    wait "${running[$1]}" 2>/dev/null || true
    unset "running[$1]"
}
