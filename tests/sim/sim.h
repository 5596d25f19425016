// A simulated world: one clock, a network, and processes that run production code, all in one thread of the
// machine and in an order that a seed determines. The same seed gives the same run, with any compiler.
//
// A program runs in it without a change: it uses net/loop.h, net/sock.h, base/clock.h, base/random.h,
// base/mem.h, threads and locks, which the simulation defines in place of the libraries and glibc. What is a
// thread in production is a coroutine here. One that waits (in loop_run(), for a lock, a condition, another
// thread) gives control back; of those that can go on, chance takes the next. Only when all wait does the
// clock move, to the next thing that is due.
//
// A process is one program with its own threads, descriptors, memory and process-wide variables
// (PROCESS_WIDE, base/process_wide.h) on the host of its name: a host has an IPv4 address, clocks and paths
// to all other hosts, and keeps them when its process is killed and another one is started. Actors (viewers,
// writers, a model of Redis) are processes too. One process may hold all viewers, but then shares their
// host's paths. What is static in an actor's files is common to all processes, and survives a kill.
//
// The functions of this header may be called anywhere: in processes, and in what sim_at() runs. They return
// immediately.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_process;

// Time and chance

// Returns the microseconds since the world began. Processes read clocks of their host instead (base/clock.h).
int64_t sim_now_us(void);

// Returns a number below `below`, which must not be 0; whether something with so many chances in a million
// happens. One stream of numbers for the world: each call changes all that follows.
uint64_t sim_random(uint64_t below);
bool sim_chance(unsigned per_million);

// Adds a line to the run's history: it becomes part of the hash, and is printed with --trace, with the time
// and the process. Never print an address or anything else that is not the same in each run.
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_trace_text(const char *text);

// Returns whether lines are printed: only to save work for ones that sim_note() would print.
bool sim_is_traced(void);

// Prints a line with --trace, without making it part of the hash.
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The hash of the history so far.
uint64_t sim_hash(void);

// Ends the run: the seed has found something. The sentence names it; the first one counts.
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool sim_has_failed(void);
const char *sim_failure(void);

// Runs a function once, outside any process, after the delay.
void sim_at(int64_t delay_us, void (*run)(void *arg), void *arg);

// Ends sim_run() when the function that is running returns.
void sim_end(void);

// Processes

// Starts a program on the host of that name, which must have none that is alive. `run` returns its exit
// code; `arg` is the caller's and must outlive it. The process is valid until the end of the world; memory
// that it allocates (base/mem.h) is freed when it ends.
struct sim_process *sim_start(const char *host, int (*run)(void *arg), void *arg);

// As kill -9 does: its threads never run again. The kernel closes its connections: the peers read what has
// been sent and then its end, or a reset.
void sim_kill(struct sim_process *);

// As a power cut: nothing is sent. A peer learns of it when it sends (a reset, as soon as the host has a
// process again or answers), by keep-alive, or never: its connections are half open.
void sim_cut_power(struct sim_process *);

// SIGSTOP and SIGCONT: its threads do not run meanwhile, its kernel goes on receiving.
void sim_pause(struct sim_process *);
void sim_continue(struct sim_process *);

// Sends a signal that the program takes (SIGTERM: ends in good order; SIGHUP).
void sim_signal(struct sim_process *, int number);

// Waits in the thread that is running, while others run. In processes only.
void sim_sleep(int64_t us);

bool sim_alive(const struct sim_process *);
bool sim_paused(const struct sim_process *);
int sim_exit_code(const struct sim_process *);    // -1: it was killed, or it is alive
const char *sim_name(const struct sim_process *); // the host's

// Returns the process that is running, or NULL outside of all.
struct sim_process *sim_self(void);

// What is allocated between the two belongs to no process: for what is common to several, and must survive
// them. sim_step_out() returns what sim_step_in() needs. Nothing may wait between them. The other way round,
// what stands outside of processes can call functions of a program in one that is alive.
struct sim_process *sim_step_out(void);
void sim_step_in(struct sim_process *);

// Returns the process that is alive on a host, or NULL.
struct sim_process *sim_process_on(const char *host);

// Gets the host's address as text, "10.0.0.7". Static.
const char *sim_address(const char *host);

// Moves a host's wall clock; the monotonic one goes on, as on a real machine.
void sim_step_clock(const char *host, int64_t step_us);
// What a host's clocks show, for the checker.
int64_t sim_wall_us(const char *host);

// How many more descriptors a process can open before EMFILE; SIZE_MAX: as many as it wants. The limit ends
// with the process.
void sim_limit_descriptors(struct sim_process *, size_t left);

// How many more bytes it can allocate; the allocation that needs more ends the process, as mem_abort() does.
void sim_limit_memory(struct sim_process *, size_t left);
size_t sim_memory_used(const struct sim_process *);

// The network

// How packets go from one host to another, in one direction. Connections made by TCP: nothing is lost or
// reordered within one, only late.
struct sim_path {
    int64_t least_us, most_us;  // delay of a packet: mostly near the least
    uint64_t bytes_per_s;       // 0: without a limit
    bool cut;                   // packets are kept back until it is open again, and then sent again
    unsigned reset_per_million; // chance of a packet to break its connection, for both ends
};

// `from` and `to`: names of hosts; NULL: all. The last call that covers a path counts. A host that has not
// been named before is added.
void sim_set_path(const char *from, const char *to, const struct sim_path *);
struct sim_path sim_get_path(const char *from, const char *to);

// Cuts or opens both directions; a NULL as above.
void sim_cut(const char *a, const char *b);
void sim_heal(const char *a, const char *b);

// Breaks the connections between two hosts, with a reset for both ends. Returns how many there were.
unsigned sim_reset_connections(const char *a, const char *b);

// How the kernel serves socket calls, for all processes.
struct sim_kernel {
    unsigned short_read_per_million;    // a read returns fewer bytes than there are
    unsigned short_write_per_million;   // a write accepts fewer than fit
    unsigned again_per_million;         // a call on a ready socket returns EAGAIN first; an event follows
    unsigned refuse_per_million;        // a connection is refused although there is a listener
    size_t send_buffer, receive_buffer; // bytes that a socket holds, at most
};
void sim_set_kernel(const struct sim_kernel *);
struct sim_kernel sim_get_kernel(void);

// What has happened, for the report.
struct sim_counts {
    uint64_t connections, resets, bytes, turns, faults;
};
struct sim_counts sim_counts(void);
void sim_count_fault(void); // one more, made by the caller

// The world

// Makes the world of a seed. Once in a process of the machine.
void sim_world_start(uint64_t seed, bool trace);

// Runs until sim_end(), sim_fail(), or the time.
void sim_world_run(int64_t until_us);

// Frees everything, so that a leak checker finds nothing.
void sim_world_free(void);
