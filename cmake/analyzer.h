// Included by clang-tidy before each file, never compiled. Its analyzer does not know the invariants of
// uthash's linked elements and so reports a use after free wherever one is removed and freed; here, removal
// is a function it cannot see into.
#pragma once

#include "base/uthash.h"

void *without(void *head, void *element);

#undef HASH_DELETE_HH
#define HASH_DELETE_HH(hh, head, element) ((head) = without((head), (element)))
#undef DL_DELETE2
#define DL_DELETE2(head, element, prev, next) ((head) = without((head), (element)))
#undef LL_DELETE2
#define LL_DELETE2(head, element, next) ((head) = without((head), (element)))
