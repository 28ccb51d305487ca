#!/usr/bin/env bats
# The command line and the configuration file: faults are told in one line and answered with 2.

load lib.bash

assert_usage_error() {
	assert_status 2
	assert_equal "$output" ""
	assert_lines "$stderr" "${2:-1}"
	assert_contains "$stderr" "$1"
}

@test "no mode: a short hint, exit 2" {
	run --separate-stderr "$PVKPREP"
	assert_status 2
	assert_equal "$output" ""
	assert_contains "$stderr" --help
	[ "${#stderr_lines[@]}" -le 3 ]
}

@test "two modes at once" {
	run_pvk --prepare --list
	assert_status 2
	assert_contains "$stderr" --
	run_pvk --prepare --prepare # the same one twice is no contradiction, or is told: never a crash
	[ "$status" -eq 0 ] || [ "$status" -eq 2 ]
}

@test "an unknown option is named" {
	run_pvk --prepare --frobnicate
	assert_status 2
	assert_contains "$stderr" frobnicate
	assert_contains "$stderr" --help
}

@test "an option without its argument" {
	run --separate-stderr "$PVKPREP" --prepare --root
	assert_status 2
	assert_contains "$stderr" root
}

@test "--color with a word that is none" {
	run_pvk --list --color=sometimes
	assert_status 2
	assert_contains "$stderr" sometimes
}

@test "--inspect without a file, --list with one" {
	run --separate-stderr "$PVKPREP" --inspect
	assert_status 2
	run_pvk --list something
	assert_status 2
}

@test "--help fits one screen, goes to stdout, names every mode" {
	local mode
	run --separate-stderr "$PVKPREP" --help
	assert_status 0
	assert_equal "$stderr" ""
	[ "${#lines[@]}" -le 24 ]
	for mode in --prepare --inspect --list --restore; do assert_contains "$output" $mode; done
	[ "$(wc -L <<<"$output")" -le 80 ] || fail "wider than a screen"
}

@test "--version is one line with name and number" {
	run --separate-stderr "$PVKPREP" --version
	assert_status 0
	assert_lines "$output" 1
	[[ $output =~ ^pvkprep\ [0-9]+\.[0-9]+ ]]
}

@test "a tree that is not there" {
	run --separate-stderr "$PVKPREP" --root "$ROOT/none" --prepare
	[ "$status" -eq 1 ] || [ "$status" -eq 2 ]
	assert_lines "$stderr" 1
	assert_contains "$stderr" none
}

@test "results that cannot be written are an error" {
	add_kernel 1 "$MINI"
	run --separate-stderr bash -c "'$PVKPREP' --root '$ROOT' --list >/dev/full"
	assert_status 1
	run --separate-stderr bash -c "'$PVKPREP' --inspect '$MINI' >/dev/full"
	assert_status 1
}

@test "--json is what the schemas say also of a run that cannot begin" {
	local mode schema
	rmdir "$ROOT/boot"
	for mode in --check --list --prepare --restore "--prepare --dry-run" "--prepare --entries-only" "--prepare 1" \
		"--restore /boot/vmlinuz-1"; do
		# shellcheck disable=SC2086 # words
		run_pvk $mode --json
		assert_status 1
		schema=kernels
		[ "$mode" != --check ] || schema=check
		printf '%s' "$output" | python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(sys.stdin), json.load(open(sys.argv[1])))' "$PVK_SOURCE/schema/$schema.json"
	done
}

@test "a log has results and errors in the order in which they came" {
	add_kernel 2 "$MINI"
	head -c 1000 "$MINI" >"$ROOT/boot/vmlinuz-1"
	run bash -c "'$PVKPREP' --root '$ROOT' --prepare 2>&1 | cat"
	[[ ${lines[0]} == *vmlinuz-2:\ prepared* ]] || fail "the first line"
	[[ ${lines[1]} == "pvkprep: $(shown 1): "* ]] || fail "the second line"
}

@test "closed standard descriptors do no harm" {
	add_kernel 2 "$MINI"
	run bash -c "'$PVKPREP' --root '$ROOT' --prepare --quiet <&- >&- 2>&-"
	assert_prepared 2 "$PVK_MINI/vmlinux"
	assert_same_file "$ROOT/boot/pvkprep/packaged-2" "$MINI"
}

# --- the configuration file ---

config() { printf '%s\n' "$@" >"$ROOT/etc/pvkprep.conf"; }

assert_config_error() { # assert_config_error WORD…: exit 2, one line, nothing touched
	local before word
	add_kernel conf "$MINI"
	before=$(full_listing)
	run_pvk --prepare
	assert_status 2
	assert_lines "$stderr" 1
	assert_contains "$stderr" pvkprep.conf
	for word; do assert_contains "$stderr" "$word"; done
	assert_equal "$(full_listing)" "$before"
}

@test "an unknown key names its line" {
	config '# a comment' '[kernel]' 'convert = all' 'compress = yes'
	assert_config_error "line 4" compress
}

@test "an unknown section names its line" {
	config '[kernel]' 'convert = all' '[kernels]' 'when = pv'
	assert_config_error "line 4" kernels
}

@test "a value that is none names its line and the choices" {
	config '[kernel]' 'when = maybe'
	assert_config_error "line 2" maybe always
}

@test "a line that is no assignment" {
	config '[kernel]' 'nonsense'
	assert_config_error "line 2"
}

@test "a line that is too long" {
	config '[kernel]' "when = $(head -c 300 /dev/zero | tr '\0' x)"
	assert_config_error "line 2"
}

@test "a configuration of another owner" {
	config '[kernel]' 'when = always'
	chown 1 "$ROOT/etc/pvkprep.conf"
	assert_config_error "not to root"
}

@test "a configuration that its group can write" {
	config '[kernel]' 'when = always'
	chmod 664 "$ROOT/etc/pvkprep.conf"
	assert_config_error 0664
}

@test "a configuration that is a directory or a FIFO" {
	mkdir "$ROOT/etc/pvkprep.conf"
	assert_config_error directory
	rmdir "$ROOT/etc/pvkprep.conf"
	mkfifo "$ROOT/etc/pvkprep.conf"
	assert_config_error FIFO
}

@test "all keys at their defaults, with comments, are accepted" {
	config '[kernel]' 'convert   = all   # what needs it' 'format = elf' 'when = pv' 'originals = stash' \
		'[boot]' 'profile = bitfolk' 'grub-cfg = auto' 'menu-lst = auto' 'pvboot = auto'
	add_kernel 3 "$MINI"
	run_pvk --prepare
	assert_status 0
	assert_prepared 3 "$PVK_MINI/vmlinux"
}

@test "--config FILE takes the place of the tree's own, and must exist" {
	config '[kernel]' 'this is = broken'
	printf '[kernel]\nconvert = zstd\n' >"$ROOT/other.conf"
	mini_with xz "$ROOT/xz"
	add_kernel 4 "$ROOT/xz"
	run_pvk --config "$ROOT/other.conf" --prepare
	assert_status 0
	assert_same_file "$ROOT/boot/vmlinuz-4" "$ROOT/xz"
	run_pvk --config "$ROOT/absent.conf" --prepare
	assert_status 2
	assert_contains "$stderr" absent.conf
}

@test "when = never: one plain line, nothing changed; --force does it all the same" {
	config '[kernel]' 'when = never'
	add_kernel 5 "$MINI"
	local before
	before=$(full_listing)
	run_pvk --prepare
	assert_status 0
	assert_equal "$(full_listing)" "$before"
	run_pvk --prepare --force
	assert_status 0
	assert_prepared 5 "$PVK_MINI/vmlinux"
}
