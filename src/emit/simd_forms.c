/* How a register must be turned so that every lane of a dot product meets every element. */
#include "emit/simd_x86.h"

#include <stdio.h>
#include <string.h>

enum { FORMS = 16 }; /* at most, of one register: four lanes times four words */

/* Word of the register that lane `lane` of a form sees. */
static int source_word(const struct simd *simd, const struct operand *form, int lane)
{
    int parts = simd->lanes / 4;
    int part = (lane / 4 + form->turn) % parts;
    return part * 4 + (form->broadcast ? form->word : (lane + form->word) % 4);
}

/* The first slot that holds the same element as `slot`. */
static int first_slot(const struct packed *packed, int slot)
{
    for (int i = 0; i < slot; i++) {
        if (packed->map[i] == packed->map[slot]) {
            return i;
        }
    }
    return slot;
}

/* What lane `lane` has met. */
struct met {
    bool slots[FORMS][SIMD_SLOTS];
};

/* The columns of a form: what its lanes have not met before.  Is there anything? */
static bool fill_form(const struct simd *simd, struct operand *form, int rows, struct met *met)
{
    bool any = false;
    for (int lane = 0; lane < simd->lanes; lane++) {
        int word = source_word(simd, form, lane);
        for (int k = 0; k < form->slots; k++) {
            int first = first_slot(form->packed, word * form->slots + k);
            int element = form->packed->map[word * form->slots + k];
            bool fresh = element >= 0 && lane < rows && !met->slots[lane][first];
            form->columns[lane * form->slots + k] = fresh ? element : -1;
            met->slots[lane][first] |= fresh;
            any = any || fresh;
        }
    }
    return any;
}

/* All forms of one register, by turning words or by spreading them. */
static int find_some(const struct simd *simd, struct operand one, int rows, struct operand *list)
{
    struct met met = {0};
    int count = 0;
    for (one.turn = 0; one.turn < simd->lanes / 4; one.turn++) {
        for (one.word = 0; one.word < 4; one.word++) {
            if (fill_form(simd, &one, rows, &met)) {
                list[count++] = one;
            }
        }
    }
    return count;
}

/* The shorter way; turning leaves one form as it is. */
static int find_best(const struct simd *simd, struct operand one, int rows, struct operand *list)
{
    struct operand other[FORMS];
    one.broadcast = false;
    int turned = find_some(simd, one, rows, list);
    one.broadcast = true;
    int spread = find_some(simd, one, rows, other);
    if (spread < turned) {
        memcpy(list, other, sizeof other);
        return spread;
    }
    return turned;
}

/* Names of the forms of register `number` of an input, and which turns are new. */
static void name_forms(const struct simd *simd, int number, struct operand *list, int count)
{
    for (int i = 0; i < count; i++) {
        struct operand *form = &list[i];
        if (form->turn > 0) {
            (void)snprintf(form->turned, SIMD_NAME, "q%d_%d_%d", simd->number, number, form->turn);
        } else {
            memcpy(form->turned, form->packed->name, SIMD_NAME);
        }
        form->turns = form->turn > 0 && (i == 0 || list[i - 1].turn != form->turn);
        if (form->word == 0 && !form->broadcast) {
            memcpy(form->name, form->turned, SIMD_NAME);
        } else {
            (void)snprintf(form->name, SIMD_NAME, "p%d_%d_%d", simd->number, number, i);
        }
    }
}

bool x86_find_forms(struct simd *simd, const struct layer *layer, struct operands *forms)
{
    const struct value *value = &simd->values[layer->inputs[0]];
    forms->list =
        arena_alloc(simd->plan->arena, (size_t)value->count + 1, FORMS * sizeof *forms->list);
    for (int i = 0; forms->list && i < value->count; i++) {
        struct operand one = {.packed = &value->packed[i], .slots = value->bytes ? 4 : 2};
        struct operand *list = &forms->list[forms->count];
        int count = find_best(simd, one, layer->weights.rows, list);
        name_forms(simd, i, list, count);
        forms->count += count;
    }
    return forms->list != NULL;
}

void x86_print_form(struct simd *simd, const struct operand *form)
{
    /* Place i takes from place (i + k) % 4: two bits for each. */
    static const int turns[4] = {0xe4, 0x39, 0x4e, 0x93};
    int selected = form->broadcast ? 0x55 * form->word : turns[form->word];
    const char *x = form->packed->name;
    if (form->turns && simd->bits == 512) {
        text_printf(simd->out, "    __m512i %s = _mm512_shuffle_i32x4(%s, %s, 0x%02x);\n",
                    form->turned, x, x, (unsigned)turns[form->turn]);
    } else if (form->turns) { /* not where a register is one lane */
        text_printf(simd->out, "    __m256i %s = _mm256_permute4x64_epi64(%s, 0x4e);\n",
                    form->turned, x);
    }
    if (form->word > 0 || form->broadcast) {
        text_printf(simd->out, "    __m%di %s = %s_shuffle_epi32(%s, %s0x%02x);\n", simd->bits,
                    form->name, x86_prefix(simd->bits), form->turned,
                    simd->bits == 512 ? "(_MM_PERM_ENUM)" : "", (unsigned)selected);
    }
}
