// Returns the struct that contains the member a callback was given.
#pragma once

#include <stddef.h>

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
