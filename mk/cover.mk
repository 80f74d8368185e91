# What do tests and corpora reach? clang's source coverage; HACKING.md says how to read it.
CC           = clang
MODE_CFLAGS  = -O0 -g -fprofile-instr-generate -fcoverage-mapping
MODE_LDFLAGS = -fprofile-instr-generate
