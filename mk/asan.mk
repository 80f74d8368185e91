# Address and undefined-behaviour sanitizers; every finding ends the process.
MODE_CFLAGS  = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_LDFLAGS = -fsanitize=address,undefined
