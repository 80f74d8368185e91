#!/bin/sh
# postmap and postalias: options, exit codes, and agreement with an installed Postfix's postmap.
set -u
bin=${POSTERN_BUILD:-$(dirname "$0")/../../build/release}/bin
case $bin in /*) ;; *) bin=$(pwd)/$bin ;; esac
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
mkdir etc && : >etc/main.cf
MAIL_CONFIG=$dir/etc
export MAIL_CONFIG
fail() { echo "$*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "expected '$2', got '$1'"; }
status() { # status N COMMAND...
	want=$1
	shift
	"$@" >out 2>err </dev/null
	got=$?
	[ "$got" = "$want" ] || fail "status $got, expected $want: $*: $(cat err)"
}

cat >t <<'END'
# a comment
user@Example.com  first
@example.com	second
  continued
user@example.com third
"a b"@example.com quoted
nothing
key: value
END
status 0 "$bin/postmap" lmdb:t
grep -q '^postmap: warning: t, line 5: duplicate entry: "user@example.com"$' err || fail "$(cat err)"
grep -q '^postmap: warning: t, line 7: expected format: key whitespace value$' err || fail "$(cat err)"
grep -q 'line 8: record is in "key: value" format' err || fail "$(cat err)"
is "$("$bin/postmap" -q USER@example.com lmdb:t)" first
is "$("$bin/postmap" -q @example.com hash:t)" 'second  continued'
status 1 "$bin/postmap" -q nobody t
status 1 "$bin/postmap" -fq USER@example.com t
is "$(printf 'x\nuser@example.com\n' | "$bin/postmap" -q - t)" 'user@example.com	first'
is "$("$bin/postmap" -s t | wc -l | tr -d ' ')" 4

# changes leave everything else as it is
echo 'new one' | "$bin/postmap" -i t || fail "-i"
echo 'new two' | "$bin/postmap" -w -i t || fail "-w"
is "$("$bin/postmap" -q new t)" one
echo 'new two' | "$bin/postmap" -r -i t || fail "-r"
is "$("$bin/postmap" -q new t)" two
status 0 "$bin/postmap" -d new t
status 1 "$bin/postmap" -d new t
status 1 "$bin/postmap" -q new t
is "$("$bin/postmap" -q user@example.com t)" first

# errors: one line that says what to do, status 1, the old index stays
status 1 "$bin/postmap" lmdb:absent
status 1 "$bin/postmap" -q x lmdb:absent
grep -q 'run `postmap lmdb:absent`' err || fail "$(cat err)"
status 1 "$bin/postmap" -q x hsah:t
grep -q 'did you mean "hash"' err || fail "$(cat err)"
status 1 "$bin/postmap" texthash:t
status 1 "$bin/postmap" -x

touch -d "+1 minute" t
status 0 "$bin/postmap" -q user@example.com lmdb:t
grep -q 'database t.lmdb is older than source file t' err || fail "no warning: $(cat err)"
is "$(find . -name '*.new' | wc -l | tr -d ' ')" 0

# values that are files
printf 'one  two\n' >f1
echo 'k f1' >files
"$bin/postmap" -F files || fail "-F"
is "$("$bin/postmap" -s files)" 'k	b25lICB0d28K'
is "$("$bin/postmap" -Fq k files)" 'one  two'

# aliases
printf 'Root: joe,ann\n"a b": |"/bin/x y"\nbad@x: y\n' >al
status 0 "$bin/postalias" al
grep -q 'postalias: warning: al, line 3: name must be local' err || fail "$(cat err)"
is "$("$bin/postalias" -q root al)" 'joe, ann'
is "$("$bin/postalias" -q '@' al)" '@'

# an index is whole at every moment, for readers that look while it is made again and again
seq 1 3000 | sed 's/.*/key& value&/' >big
"$bin/postmap" big || fail "big"
(for i in 1 2 3 4 5 6 7 8; do "$bin/postmap" big || exit 1; done) &
writer=$!
while kill -0 $writer 2>/dev/null; do
	is "$("$bin/postmap" -q key3000 big)" value3000
done
wait $writer || fail "writer"

# Postfix and we read each other's files and agree on patterns
theirs=/usr/sbin/postmap
if [ -x "$theirs" ] && [ ! -L "$theirs" ] && "$theirs" -c etc lmdb:big 2>/dev/null &&
    [ "$("$theirs" -c etc -q key7 lmdb:big 2>/dev/null)" = value7 ]; then
	is "$("$bin/postmap" -q key7 big)" value7
	"$bin/postmap" t 2>/dev/null
	is "$("$theirs" -c etc -s lmdb:t)" "$("$bin/postmap" -s t)"
	is "$("$theirs" -c etc -q user@example.com lmdb:t)" first
	printf '/^(f)oo(x)?/ $1-${2}$$\nif !/foo/\n/bar/i no\n/BAR/ yes\nendif\n!/z/ neg\n' >re
	printf '10.0.0.0/8 ten\nif ::/0\n::1 one\nendif\n!11.0.0.0/8 other\n' >ci
	for key in foo FOOX xfoo bar BAR z zz; do
		is "$("$bin/postmap" -q $key regexp:re)" "$("$theirs" -c etc -q $key regexp:re)"
	done
	for key in 10.1.2.3 11.1.1.1 12.1.1.1 ::1 ::2 name; do
		is "$("$bin/postmap" -q $key cidr:ci)" "$("$theirs" -c etc -q $key cidr:ci)"
	done
fi
exit 0
