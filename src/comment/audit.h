// Private to comment: the audit trail of a video, what moderators and services did. Each act passes a note to
// the engine, which keeps it in the same step. Control loop only.
#pragma once

struct http_exchange;
struct service;

enum { AUDIT_NOTE_SIZE = 1024 };

// Writes a note: who makes the request, which is allowed already, `what` is done, and `more`, further members
// of a JSON object, each behind a comma. Returns it.
const char *audit_note(char note[AUDIT_NOTE_SIZE], const struct service *, struct http_exchange *,
                       const char *what, const char *more);

// The same of what was done by itself, which is kept apart.
const char *audit_note_of_nobody(char note[AUDIT_NOTE_SIZE], const char *what, const char *more);

// Route; `arg` is a struct service.
void audit_list(struct http_exchange *, void *arg);
