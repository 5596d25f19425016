// Private to the simulation's kernel: its state, and what its files have to do with each other. One thread of
// the machine; nothing here is safe to call from another one.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "../sim.h"

struct loop;
struct loop_fd;

// Events: what is due at a moment of the world's time, in the order of time and then of starting.

struct event {
    int64_t due_us;
    uint64_t order;
    uint32_t slot; // in the heap, from 1; 0: stopped
    void (*run)(struct event *);
};

void event_start(struct event *, int64_t due_us);
void event_stop(struct event *);
// Runs all that is due. Returns when the next one is, INT64_MAX if there is none.
int64_t events_run_due(void);

// Memory: what a process allocates is in a list of its own, freed when it has ended.

struct block {
    struct block *prev, *next;
    struct memory *owner;
    size_t size;
};

struct memory {
    struct block blocks; // head of the ring
    size_t used, max;
};

void memory_init(struct memory *);
void memory_release(struct memory *); // frees all blocks

// Memory of the kernel itself: zeroed, never NULL.
void *kernel_alloc(size_t size);
void *kernel_grow(void *old, size_t size); // not zeroed
void kernel_free(void *);

// Hosts

struct host {
    char name[32], address[16];
    uint32_t number; // from 1; part of the address
    bool is_up;      // answers packets, with a process or without
    int next_port;
    int64_t monotonic_us, wall_us; // what its clocks are ahead of the world's
    struct sim_process *process;   // alive on it, or NULL
};

struct host *host_named(const char *name); // adds it
struct host *host_at(const union address *, const struct host *self);
struct host *host_numbered(uint32_t number); // NULL: there is none

// Descriptors

enum sock_kind { SOCK_OTHER, SOCK_SIGNALS, SOCK_LISTENER, SOCK_STREAM_END };

struct sock {
    enum sock_kind kind;
    int fd;
    struct sim_process *process;
    // The registration of a loop:
    struct loop *loop;
    struct loop_fd *watch;
    uint32_t events;
    bool queued, looked_at; // the latter while the loop delivers
    struct sock *next_queued;
    struct sim_thread *waiter; // in sock_wait()
};

// Returns the socket of a descriptor of the running process, or NULL.
struct sock *sock_of(int fd);
// Gives it the lowest free descriptor. Returns it, or -EMFILE.
int sock_add(struct sim_process *, struct sock *);
void sock_remove(struct sock *); // frees the descriptor

// What poll(2) would say.
uint32_t sock_readiness(const struct sock *);
// Something has changed: tells the loop.
void sock_notify(struct sock *);
// Closes what a process has left. `silently`: nothing is sent.
void sock_abandon(struct sock *, bool silently);

void signals_raise(struct sim_process *, int number);

// Threads

enum thread_state { THREAD_READY, THREAD_WAITING, THREAD_ENDED };

struct sim_thread {
    struct sim_process *process;
    struct sim_thread *next; // of the process
    enum thread_state state;
    const void *waits_for;
    struct event due;
    void *(*run)(void *);
    void *arg, *result;
    bool detached, listed;
    void *stack_pointer, *stack, *fake_stack;
};

struct sim_thread *thread_start(struct sim_process *, void *(*run)(void *), void *arg);
// Waits until thread_wake_all() of the same object, or the time of the world; INT64_MAX: without a limit.
void thread_wait(const void *what, int64_t due_us);
// Lets others run.
void thread_yield(void);
void thread_wake(struct sim_thread *);
void thread_wake_all(struct sim_process *, const void *what);
void thread_free(struct sim_thread *);
void threads_run_one(void); // of those that are ready, outside of all threads
bool threads_are_ready(void);
void threads_unlist(struct sim_process *); // are not run until listed again
void threads_list(struct sim_process *);
_Noreturn void thread_leave(void); // the running one never runs again
void threads_release(void);

// Processes

struct sim_process {
    struct host *host;
    int (*run)(void *);
    void *arg;
    enum { PROCESS_ALIVE, PROCESS_DEAD, PROCESS_REAPED } state;
    bool is_paused;
    int exit_code;
    struct sim_thread *threads;
    struct loop *loops;
    struct memory memory;
    struct sock **socks; // by descriptor
    size_t sock_room, sock_count, sock_max;
    unsigned char *wide; // its PROCESS_WIDE variables while another process runs
    struct sock *signals;
    uint32_t raised; // signals, by bit
    struct sim_process *next;
};

void process_switch_variables(struct sim_process *);
void processes_reap(void);
void processes_release(void);

void loop_forget(struct sim_process *); // a process has died
void loop_queue(struct sock *);
void loop_unqueue(struct sock *);

void network_release(void);
void network_host_is_back(struct host *);

struct world {
    int64_t now_us, end_us;
    bool ended, failed, traced;
    uint64_t seed, hash, random[4];
    uint64_t event_order;
    struct event **heap;
    uint32_t events, heap_room;
    struct sim_thread *running;
    struct sim_process *self;
    struct memory memory; // of what runs outside processes
    struct host **hosts;
    uint32_t host_count;
    struct sim_kernel kernel;
    struct sim_counts counts;
    char failure[400];
};
extern struct world world;
