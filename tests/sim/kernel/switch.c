#include "switch.h"

#include <stdint.h>
#include <string.h>

#ifdef __x86_64__

// What the calling convention has a function preserve (System V ABI, AMD64 supplement, 3.2.1); the floating
// point modes are the same everywhere.
__asm__(".text\n"
        ".type switch_stack,@function\n"
        ".globl switch_stack\n"
        "switch_stack:\n"
        "  endbr64\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  ret\n"
        ".size switch_stack,.-switch_stack\n");

enum { SAVED = 6 };

void *switch_prepare(void *top, void (*entry)(void)) {
    uintptr_t at = ((uintptr_t)top & ~(uintptr_t)15) - 16;
    void **stack = (void **)at;
    *--stack = NULL; // as if entry() had been called: the return address, below an aligned one
    *--stack = (void *)entry;
    for (int i = 0; i < SAVED; i++) *--stack = NULL;
    return stack;
}

#else

#include <stdlib.h>
#include <ucontext.h>

void switch_stack(void **from, void *to) {
    ucontext_t here;
    *from = &here;
    swapcontext(&here, to);
}

void *switch_prepare(void *top, void (*entry)(void)) {
    ucontext_t *c = (ucontext_t *)(((uintptr_t)top - sizeof *c) & ~(uintptr_t)63);
    getcontext(c);
    c->uc_stack.ss_size = 128 << 10;
    c->uc_stack.ss_sp = (char *)c - c->uc_stack.ss_size;
    makecontext(c, entry, 0);
    return c;
}

#endif
