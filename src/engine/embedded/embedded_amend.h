// Entries that take comments out of the log. Store's thread; failures as in embedded_store.h.
//
// The row of a comment that is taken out stays, as an ENTRY_BLANK without a body; SQLite overwrites what was
// there (secure_delete). Earlier pages of the database stay in the write-ahead log until that is cut
// (embedded_scrub.h).
#pragma once

#include "engine/local.h"

request_carry_out log_amend; // see struct local_store
