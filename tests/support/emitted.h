/* Emitted C in tests: written to the scratch folder, compiled, run over vectors. */
#ifndef MOTE_SUPPORT_EMITTED_H
#define MOTE_SUPPORT_EMITTED_H

#include "emit/emit.h"

/* Is `command` (its first word) on the PATH? */
bool have_command(const char *command);

/* Run a shell command with its output in a scratch file; the exit status.  Prints the output
 * where the status is not 0. */
int run_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A compiler of C99 that takes a tenth of the others' time, for many nets: tcc, or what is here. */
const char *quick_compiler(void);

/* Emit into scratch files NAME.h (and NAME.c where options ask for it); stops the program where
 * it fails. */
void emit_scratch(const struct net *net, const struct emit_options *options);

/* Packed pairs are sums modulo 2^32; what else could wrap is still caught where they are not. */
#define EMITTED_WRAPS ",unsigned-integer-overflow"

/* How a batch of nets is built. */
struct emitted {
    enum optimise optimise;
    const enum optimise *layers; /* as in struct emit_options */
    const char *compiler;        /* command and flags */
    bool short_int;     /* the nets as a machine with 16-bit int would compute them: by clang's
                           MSP430 front end, which traps undefined behaviour and overflow */
    const char *kernel; /* as in struct emit_options */
    unsigned variants;  /* as in struct emit_options */
    bool constant_time; /* as in struct emit_options */
    const struct machine *machine; /* as in struct emit_options */
    const char *emulator;          /* command in front of the program; NULL: none */
};

/* Emit `count` nets as n0 ..., compile them together, run `vectors` inputs through each: out[i]
 * gets vectors x output width codes.  Classes and self-tests are checked too, but not with
 * short_int.  Stops the program where something fails.  False where they were emitted alone, as
 * most batches are where mote itself runs under a sanitizer. */
bool emitted_run(struct net *const *nets, int count, const struct emitted *how, int vectors,
                 int32_t *const *in, int32_t *const *out);

/* 6-16-...-6 with cubic and a linear skip, 8-bit weights, u16 in, i16 out; random weights. */
struct net *pose_like_net(int hidden_layers, uint64_t seed);

/* 4-8-3, relu on i8, 4-bit weights, three classes. */
struct net *class_like_net(void);

/* i8 in; what compilers would turn into memcpy: copies to the output, or to both halves of a
 * concat in front of a dense layer. */
struct net *copying_net(bool concat);

/* u8 in, 40000 wide, one zero for each; ternary weights, two outputs. */
struct net *wide_net(void);

#endif
