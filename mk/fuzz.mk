# libFuzzer needs clang.
CC           = clang
MODE_CFLAGS  = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -DFUZZ_HUNT
MODE_LDFLAGS = -fsanitize=address,undefined
