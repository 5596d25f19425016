// Allocates small objects. Running out of memory aborts in one place, with a line on stderr: no caller could
// do better, and everything that a client can make grow reaches a limit of its own long before. Any thread.
#pragma once

#include <stddef.h>

// Return memory that the caller owns and frees with free(), never NULL; mem_zalloc() zeroes it.
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);

// Return an owned copy of a string, or of `len` bytes followed by a NUL.
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);

// Aborts the process after logging what could not be allocated.
__attribute__((noreturn)) void mem_abort(const char *what);
