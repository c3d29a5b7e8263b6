#!/bin/sh
# What the fuzzers need beyond `make deps`: clang 14 and its run-time library (libFuzzer, sanitizers).
set -eu
missing() {
    command -v clang-14 >/dev/null 2>&1 || echo clang-14
    ls /usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 || echo libclang-rt-14-dev
}
need=$(missing | tr '\n' ' ')
[ -z "${need% }" ] && exit 0
echo "make fuzz needs clang with libFuzzer: apt-get install $need" >&2
exit 1
