// Read by clang-tidy in front of each file, never compiled. Its analyzer knows no invariant of uthash's linked cells
// and so finds a use after free wherever one is taken out and freed; here taking out is a function it cannot look into.
#pragma once

#include "base/map.h"

void *without(void *head, void *element);

#undef HASH_DELETE_HH
#define HASH_DELETE_HH(hh, head, element) ((head) = without((head), (element)))
#undef DL_DELETE2
#define DL_DELETE2(head, element, prev, next) ((head) = without((head), (element)))
#undef LL_DELETE2
#define LL_DELETE2(head, element, next) ((head) = without((head), (element)))
