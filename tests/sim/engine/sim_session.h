// An engine's side of the simulated store: its two connections. Everything here may be called in the engine's
// process; what arrives is fetched there, after the doorbell has rung.
#pragma once

#include "sim_call.h"
#include "sim_lane.h"
#include "sim_store.h"

struct loop_job;

enum sim_link { SIM_COMMANDS, SIM_SUBSCRIBER, SIM_LINKS };

// `doorbell` is posted to the loop whenever something has arrived and it has been answered since.
struct sim_session *sim_session_new(struct sim_store *, struct loop *, struct loop_job *doorbell);

// Nothing arrives any more, and the doorbell is posted no more. What was sent goes on. Returns whether the
// doorbell is posted now, and so has to be waited for.
bool sim_session_close(struct sim_session *);

// Tries to connect. Returns false if no server accepts.
bool sim_session_connect(struct sim_session *, enum sim_link);
bool sim_session_is_up(const struct sim_session *, enum sim_link);

// Returns a moment that an attempt to connect takes; 0 where nothing takes time.
int sim_session_connect_ms(struct sim_session *);
// Returns the time in the middle of a range, by chance.
int sim_session_about_ms(struct sim_session *, int ms);

// The engine ends a connection itself.
void sim_session_cut(struct sim_session *, enum sim_link);

// Sends a copy of a call. The connection must be up. Returns the copy, which is in `sim_session_pending`
// until its answer is taken, or the caller removes it.
struct sim_call *sim_session_send(struct sim_session *, const struct sim_call *);

// The calls without an answer, oldest first (utlist, DL).
struct sim_call *sim_session_pending(const struct sim_session *);
void sim_session_forget(struct sim_session *, struct sim_call *);

// Sends a subscription, or its end, of a video or a topic.
void sim_session_subscribe(struct sim_session *, const char *name, bool is_topic, bool subscribe);

// The doorbell has rung: it may ring again.
void sim_session_answer_door(struct sim_session *);

// Returns what has arrived, in order; the caller frees it. NULL: nothing more.
struct sim_item *sim_session_take(struct sim_session *);

// Returns whether the connection was cut since the last call; to be called when nothing more has arrived.
bool sim_session_take_cut(struct sim_session *, enum sim_link);

// The run of the server that the connection for commands is with.
uint64_t sim_session_run(const struct sim_session *);

// The front server's wall clock, as a connection learns it when it is made.
int64_t sim_session_wall_ms(const struct sim_session *);
