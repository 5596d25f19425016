// Leases. Store's thread only; failures as in embedded_store.h.
//
// All leases are in memory (there are as many as readers), and what is listed comes from there. A row is
// written when a lease is new, has changed or was dropped, and otherwise once a day, by a transaction of its
// own: so a heartbeat a second costs no write, and no lease ends because the disk is full. In memory a lease
// ends by the monotonic clock, so that setting the wall clock neither ends nor revives it. Nothing in a file
// is alive: the folder belongs to one process, so the readers of the rows found at opening have ended with
// the process before. The wall time in a row only determines when it is old enough to be deleted.
#pragma once

#include "embedded_store.h"
#include "engine/local.h"

// See struct local_store.
request_carry_out lease_carry_out_renew, lease_carry_out_drop, lease_carry_out_list;

// Reads the rows, at opening. Returns false on failure.
bool lease_load(struct store *);
void lease_free_all(struct store *);

// Writes the rows that are not as they should be (`leases_unwritten`), in a transaction of its own. Returns
// false on failure; then they are still to be written.
bool lease_write_rows(struct store *);

// Deletes one lease that ended before the time that unused things are kept. Returns whether there was one.
bool lease_sweep(struct store *);
