// Notices that no process listens at the address of a reader, by a connection that is refused: so a reader
// that died while the store was away is replaced as soon as its lease would have ended without the outage.
//
// A refusal counts only where this process has had an answer before, from the same process of the reader. An
// address that is wrong for us, or a proxy's, tells nothing. A request that is not answered counts as
// nothing, either. Owned by placement. Control loop only.
#pragma once

#include <stddef.h>

struct loop;
struct presence;
struct reader_row;
struct readers;

// Borrows the table.
struct presence *presence_new(struct loop *, struct readers *);

// Cancels what is under way. NULL does nothing.
void presence_free(struct presence *);

// Sends requests to readers of the table of which it has to know, a few at a time, silent ones first: to come
// after each listing. What is learned counts from the next listing on (readers_note_presence).
void presence_check(struct presence *);
