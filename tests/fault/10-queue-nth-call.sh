#!/bin/bash
# The disk fails, or the writer dies, at the Nth call that changes the disk, for every N
# (tests/fault/queue). FAULT_ONLY=MODE walks one mode.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${POSTERN_BUILD:-$(pwd)/build/release}
base=${TMPDIR:-/tmp}
[ -w /dev/shm ] && base=/dev/shm # syncs cost nothing there, and the faults are the test's own
dir=$(mktemp -d "$base/postern-fault.XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
"$build/tests/fault/queue/run" "$dir" 2>"$dir.log"
status=$?
[ $status = 0 ] || { tail -n 20 "$dir.log"; cat "$dir/report"; find "$dir" -type f | sort; }
rm -f "$dir.log"
exit $status
