// uthash, set up for this project: a keyed hash, and out of memory ends in mem_abort(). Include this one,
// never <uthash.h> itself.
#pragma once

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)hash_bytes((keyptr), (keylen)))
#define uthash_fatal(msg)                    mem_abort(msg)

#include <uthash.h>
#include <utlist.h>
