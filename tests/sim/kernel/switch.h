// Private: exchanges the stack that runs. On other machines than x86-64 the C library does it, which is
// slower, because it also asks the kernel for the signal mask.
#pragma once

// Saves what the caller needs on its stack, stores the stack's pointer, and goes on where `to` was stored.
void switch_stack(void **from, void *to);

// Prepares a stack that ends at `top`, so that switching to it calls entry(), which must not return.
void *switch_prepare(void *top, void (*entry)(void));
