#include "outages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/settings.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "service/fields.h"
#include "statistics/demo.h"
#include "system.h"

enum { AGAIN_MS = 1000 }; // another program may have taken the port meanwhile

struct outage {
    struct outages *all;
    enum { OUTAGE_NONE, OUTAGE_BEGINS, OUTAGE_RUNS } state;
    char reader[ID_MAX + 1]; // its instance id
    struct loop_timer timer; // to kill it, outside of any handler; to start it again
};

struct outages {
    struct system *system;
    struct statistics_demo commands;
    struct outage of[READERS_MAX]; // by number
};

static void outage_begin(struct outage *o, size_t number) {
    system_kill_reader(o->all->system, number);
    o->state = OUTAGE_RUNS;
    loop_timer_start(system_loop(o->all->system), &o->timer, o->all->commands.restart_ms);
}

static void outage_end(struct outage *o, size_t number) {
    int error = system_start_reader(o->all->system, number);
    if (error) {
        log_warn("demo", "reader_cannot_start", "reader=%s error=\"%s\"", o->reader, strerror(-error));
        loop_timer_start(system_loop(o->all->system), &o->timer, AGAIN_MS);
        return;
    }
    o->state = OUTAGE_NONE;
    log_info("demo", "reader_started", "reader=%s", o->reader);
}

static void on_outage_due(struct loop_timer *t) {
    struct outage *o = container_of(t, struct outage, timer);
    size_t number = (size_t)(o - o->all->of);
    if (o->state == OUTAGE_BEGINS)
        outage_begin(o, number);
    else
        outage_end(o, number);
}

static enum demo_kill on_kill(void *arg, const char *instance_id) {
    struct outages *all = arg;
    size_t number = system_reader(all->system, instance_id);
    if (number == SYSTEM_NO_READER) return DEMO_UNKNOWN;
    struct outage *o = &all->of[number];
    if (o->state != OUTAGE_NONE) return DEMO_DOWN;
    o->state = OUTAGE_BEGINS;
    snprintf(o->reader, sizeof o->reader, "%s", instance_id);
    loop_timer_start(system_loop(all->system), &o->timer, 0);
    log_warn("demo", "reader_killed", "reader=%s restart_ms=%d", instance_id, all->commands.restart_ms);
    return DEMO_KILLED;
}

struct outages *outages_new(const struct settings *set) {
    struct outages *all = mem_zalloc(sizeof *all);
    all->commands =
        (struct statistics_demo){.kill = on_kill, .arg = all, .restart_ms = (int)set->demo_restart_ms};
    for (size_t i = 0; i < READERS_MAX; i++)
        all->of[i] = (struct outage){.all = all, .timer.on_due = on_outage_due};
    return all;
}

const struct statistics_demo *outages_commands(const struct outages *all) {
    return &all->commands;
}

void outages_set_system(struct outages *all, struct system *s) {
    all->system = s;
}

void outages_set_restart(struct outages *all, int restart_ms) {
    all->commands.restart_ms = restart_ms;
}

void outages_stop(struct outages *all) {
    for (size_t i = 0; all && i < READERS_MAX; i++)
        if (all->of[i].state != OUTAGE_NONE) loop_timer_stop(system_loop(all->system), &all->of[i].timer);
}

void outages_free(struct outages *all) {
    free(all);
}
