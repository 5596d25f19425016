#include "sim_call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct sim_body *sim_body_new(const void *bytes, size_t len) {
    struct sim_body *b = mem_alloc(sizeof *b + len + 1);
    b->refs = 1;
    b->len = len;
    if (len) memcpy(b->bytes, bytes, len);
    b->bytes[len] = 0;
    return b;
}

struct sim_body *sim_body_ref(struct sim_body *b) {
    if (b) b->refs++;
    return b;
}

void sim_body_unref(struct sim_body *b) {
    if (b && !--b->refs) free(b);
}

struct engine_entry sim_entry_view(const struct sim_entry *e) {
    return (struct engine_entry){
        .at = e->at, .prev = e->prev, .kind = e->kind, .body = e->body->bytes, .body_len = e->body->len};
}

void sim_answer_release(struct sim_answer *a) {
    sim_body_unref(a->entry.body);
    sim_body_unref(a->loss.body);
    for (size_t i = 0; a->entries && i < a->count; i++) sim_body_unref(a->entries[i].body);
    free(a->entries);
    free(a->reader);
    free((char *)a->lease.instance_id);
    for (size_t i = 0; a->leases && i < a->count; i++) {
        free((char *)a->leases[i].reader_url);
        free((char *)a->leases[i].public_url);
        free((char *)a->leases[i].instance_id);
        free((char *)a->leases[i].load);
    }
    free(a->leases);
    for (size_t i = 0; i < a->mapped_count; i++) {
        free((char *)a->mapped[i].video);
        free((char *)a->mapped[i].reader_url);
    }
    free(a->mapped);
    free(a->rooms);
    for (size_t i = 0; i < a->ban_count; i++) free((char *)a->bans[i].user);
    free(a->bans);
    for (size_t i = 0; i < a->held_count; i++) {
        free((char *)a->held[i].video);
        free((char *)a->held[i].id);
        free((char *)a->held[i].author);
        free((char *)a->held[i].body);
    }
    free(a->held);
    for (size_t i = 0; i < a->note_count; i++) free((char *)a->notes[i]);
    free(a->notes);
    *a = (struct sim_answer){0};
}

static const char *copy_text(const char *text) {
    return text ? mem_strdup(text) : NULL;
}

struct sim_call *sim_call_copy(const struct sim_call *from) {
    struct sim_call *c = mem_alloc(sizeof *c);
    *c = *from;
    c->refs = 1;
    c->name = copy_text(from->name);
    c->user = copy_text(from->user);
    c->note = copy_text(from->note);
    c->reader_url = copy_text(from->reader_url);
    c->expected = copy_text(from->expected);
    c->public_url = copy_text(from->public_url);
    c->instance_id = copy_text(from->instance_id);
    c->load = copy_text(from->load);
    c->gate.author = copy_text(from->gate.author);
    c->gate.badges = copy_text(from->gate.badges);
    c->gate.id = copy_text(from->gate.id);
    c->body = from->text ? sim_body_new(from->text, from->text_len) : NULL;
    c->text = NULL;
    return c;
}

struct sim_call *sim_call_ref(struct sim_call *c) {
    c->refs++;
    return c;
}

void sim_call_unref(struct sim_call *c) {
    assert(c->refs);
    if (--c->refs) return;
    sim_answer_release(&c->answer);
    sim_body_unref(c->body);
    free((char *)c->name);
    free((char *)c->user);
    free((char *)c->note);
    free((char *)c->reader_url);
    free((char *)c->expected);
    free((char *)c->public_url);
    free((char *)c->instance_id);
    free((char *)c->load);
    free((char *)c->gate.author);
    free((char *)c->gate.badges);
    free((char *)c->gate.id);
    free(c);
}

bool sim_call_writes(const struct sim_call *c) {
    switch (c->op) {
    case SIM_RANGE:
    case SIM_RANGE_BEFORE:
    case SIM_SET_READ:
    case SIM_SETTINGS_READ:
    case SIM_ROOMS_READ:
    case SIM_BANS_READ:
    case SIM_HELD_READ:
    case SIM_AUDIT_READ:
    case SIM_LEASES:
    case SIM_OVERVIEW:
    case SIM_NOTIFY: return false;
    default: return true;
    }
}
