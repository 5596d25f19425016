// Memory for small objects. Running out of it aborts in one place, with a line on stderr: no caller can do
// anything better, and everything that a client can make grow has a bound of its own long before.
// Any thread.
#pragma once

#include <stddef.h>

// Return memory the caller owns (free with free()); the z variant is zeroed. Never NULL.
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);

// Return an owned copy of a string, or of len bytes with a NUL behind them.
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);

// Ends the process, saying what could not be had.
__attribute__((noreturn)) void mem_abort(const char *what);
