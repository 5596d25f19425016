// uthash and utlist with this project's settings: a keyed hash, and running out of memory ends in
// mem_abort(). Include this header, never <uthash.h> itself.
#pragma once

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = (unsigned)hash_bytes((keyptr), (keylen)))
#define uthash_fatal(msg)                    mem_abort(msg)

#include <uthash.h>
#include <utlist.h>
