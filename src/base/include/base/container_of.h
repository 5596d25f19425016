// From a member that a callback was given to the struct it is embedded in.
#pragma once

#include <stddef.h>

#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
