/* SPEC 14: every invariant is broken once, and the message says which and where. */
#include "support/unit.h"

#include "net/net.h"

#include <string.h>

static char long_name[NET_NAME_MAX + 2];

/* Tensors: 0 u16 x 2 (input), 1 i16 x 2, 2 i16 x 3, 3 and 4 i32 x 2, 5 i16 x 2, 6 i16 x 4 (output).
 * Layers: 0 convert, 1 dense, 2 and 3 dense to i32, 4 add, 5 concat. */
static void add_layers(struct net *net)
{
    static const int16_t weights[] = {1, -2, 3, -4, 5, -7};
    static const int32_t numbers[] = {10, -20, 30};
    static const uint8_t shift[] = {1, 2, 3};
    const struct layer layers[] = {
        {.op = OP_CONVERT, .input_count = 1, .output = 1, .zero = numbers, .shift = shift},
        {.op = OP_DENSE,
         .inputs = {1},
         .input_count = 1,
         .output = 2,
         .activation = ACTIVATION_CUBIC,
         .weights = {4, 3, 2, weights, false},
         .bias = numbers,
         .shift = shift},
        {.op = OP_DENSE,
         .inputs = {2},
         .input_count = 1,
         .output = 3,
         .weights = {4, 2, 3, weights, false},
         .bias = numbers,
         .shift = shift},
        {.op = OP_DENSE,
         .inputs = {1},
         .input_count = 1,
         .output = 4,
         .weights = {4, 2, 2, weights, false},
         .bias = numbers,
         .shift = shift},
        {.op = OP_ADD, .inputs = {3, 4}, .input_count = 2, .output = 5},
        {.op = OP_CONCAT, .inputs = {5, 1}, .input_count = 2, .output = 6},
    };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        assert_true(net_add_layer(net, &layers[i]));
    }
}

static struct net *sound_net(void)
{
    static const struct {
        enum type type;
        int width;
    } tensors[] = {{TYPE_U16, 2}, {TYPE_I16, 2}, {TYPE_I16, 3}, {TYPE_I32, 2},
                   {TYPE_I32, 2}, {TYPE_I16, 2}, {TYPE_I16, 4}};
    static struct channel channels[4];
    struct net *net = net_new("net");
    assert_non_null(net);
    for (int t = 0; t < 7; t++) {
        assert_int_equal(net_add_tensor(net, tensors[t].type, tensors[t].width), t);
    }
    net->output = 6;
    add_layers(net);
    for (int j = 0; j < 4; j++) {
        channels[j] = (struct channel){.name = "x", .unit = "mm", .lsb = {1, -3}};
    }
    assert_true(net_set_channels(net, channels, channels));
    return net;
}

/* Copies of what a layer points to, to be spoilt. */
static int16_t *weights_of(struct net *net, int layer)
{
    static int16_t copy[6];
    memcpy(copy, net->layers[layer].weights.values, 4 * sizeof *copy);
    net->layers[layer].weights.values = copy;
    return copy;
}

static int32_t *bias_of(struct net *net, int layer)
{
    static int32_t copy[3];
    memcpy(copy, net->layers[layer].bias, sizeof copy);
    net->layers[layer].bias = copy;
    return copy;
}

static struct channel *channel_of(const struct channel **channels)
{
    static struct channel copy[4];
    memcpy(copy, *channels, 2 * sizeof *copy);
    *channels = copy;
    return &copy[1];
}

/* ---- each case spoils the net in one way and gives the message; NULL: no more cases ---- */

static const char *spoil_counts(struct net *net, int which)
{
    switch (which) {
    case 0: net->tensor_count = 0; return "0 tensors, 1 to 256 are allowed";
    case 1: net->tensor_count = 257; return "257 tensors, 1 to 256 are allowed";
    case 2: net->layer_count = 0; return "0 layers, 1 to 256 are allowed";
    case 3: net->layer_count = 257; return "257 layers, 1 to 256 are allowed";
    case 4: net->tensors[3].width = 0; return "tensor 3: width 0, 1 to 65536 are allowed";
    case 5: net->tensors[3].width = 65537; return "tensor 3: width 65537, 1 to 65536 are allowed";
    case 6: net->tensors[2].type = (enum type)6; return "tensor 2: unknown type";
    case 7: net->input = 7; return "the input is tensor 7, there are 7 tensors";
    case 8: net->output = -1; return "the output is tensor -1, there are 7 tensors";
    case 9: net->output = 0; return "tensor 0 is both input and output";
    case 10: net->tensors[0].type = TYPE_I32; return "the input cannot be i32";
    case 11: net->tensors[6].type = TYPE_U16; return "the output cannot be u16";
    default: return NULL;
    }
}

static const char *spoil_flow(struct net *net, int which)
{
    struct layer *layers = net->layers;
    switch (which) {
    case 0: layers[1].op = (enum op)(OP_SOFTMAX + 1); return "layer 1: unknown op";
    case 1: layers[1].input_count = 2; return "layer 1 (dense): 2 inputs, it takes 1";
    case 2: layers[4].input_count = 1; return "layer 4 (add): 1 inputs, it takes 2 to 4";
    case 3: layers[4].input_count = 5; return "layer 4 (add): 5 inputs, it takes 2 to 4";
    case 4:
        layers[4].inputs[1] = 7;
        return "layer 4 (add): input 1 is tensor 7, there are 7 tensors";
    case 5:
        layers[2].output = -1;
        return "layer 2 (dense): the output is tensor -1, there are 7 tensors";
    case 6: layers[1].inputs[0] = 2; return "layer 1 (dense): reads tensor 2 before it is written";
    case 7: layers[1].output = 0; return "layer 1 (dense): writes tensor 0, which is the input";
    case 8:
        layers[3].output = 3;
        return "layer 3 (dense): writes tensor 3, which an earlier layer wrote";
    case 9: net_add_tensor(net, TYPE_I8, 1); return "tensor 7 is never written";
    case 10: net->output = 5; return "tensor 6 is never read";
    default: return NULL;
    }
}

static const char *spoil_convert(struct net *net, int which)
{
    static uint8_t shift[] = {0, 15};
    static int32_t zero[] = {0, 65537};
    struct layer *convert = &net->layers[0];
    switch (which) {
    case 0: net->tensors[1].type = TYPE_U16; return "layer 0 (convert): its output cannot be u16";
    case 1: net->tensors[1].type = TYPE_I32; return "layer 0 (convert): its output cannot be i32";
    case 2:
        net->tensors[0].width = 3;
        return "layer 0 (convert): input 0 has 3 elements, the output 2";
    case 3: convert->zero = NULL; return "layer 0 (convert): without zero or shift";
    case 4: convert->shift = NULL; return "layer 0 (convert): without zero or shift";
    case 5:
        convert->shift = shift;
        return "layer 0 (convert), element 1: shift 15, 0 to 14 are allowed";
    case 6:
        convert->zero = zero;
        return "layer 0 (convert), element 1: zero 65537, -65536 to 65536 are allowed";
    case 7:
        convert->activation = ACTIVATION_CLIP;
        return "layer 0 (convert): has the weights, bias or activation of a dense layer";
    case 8:
        convert->bias = zero;
        return "layer 0 (convert): has the weights, bias or activation of a dense layer";
    case 9: /* the add becomes a convert of tensor 3 */
        net->layers[4].op = OP_CONVERT;
        net->layers[4].input_count = 1;
        net->layers[5].inputs[1] = 4;
        return "layer 4 (convert): its input cannot be i32";
    default: return NULL;
    }
}

static const char *spoil_dense(struct net *net, int which)
{
    struct layer *dense = &net->layers[3];
    static const uint8_t shift[] = {0, 31};
    switch (which) {
    case 0: dense->inputs[0] = 3; return "layer 3 (dense): its input cannot be i32";
    case 1: dense->inputs[0] = 0; return "layer 3 (dense): its input cannot be u16";
    case 2: dense->activation = (enum activation)7; return "layer 3 (dense): unknown activation";
    case 3:
        dense->activation = ACTIVATION_RELU;
        return "layer 3 (dense): activation relu cannot write i32";
    case 4:
        net->tensors[2].type = TYPE_I8;
        return "layer 1 (dense): activation cubic cannot write i8";
    case 5:
        dense->weights.rows = 3;
        return "layer 3 (dense): 3 x 2 weights between 2 inputs and 2 outputs";
    case 6:
        dense->weights.columns = 1;
        return "layer 3 (dense): 2 x 1 weights between 2 inputs and 2 outputs";
    case 7:
        dense->weights.bits = 1;
        return "layer 3 (dense): weights of 1 bits, 2 to 16 are allowed";
    case 8:
        dense->weights.bits = 17;
        return "layer 3 (dense): weights of 17 bits, 2 to 16 are allowed";
    case 9: dense->weights.values = NULL; return "layer 3 (dense): without weights, bias or shift";
    case 10: dense->bias = NULL; return "layer 3 (dense): without weights, bias or shift";
    case 11: dense->shift = NULL; return "layer 3 (dense): without weights, bias or shift";
    case 12: dense->zero = dense->bias; return "layer 3 (dense): has parameters of another op";
    case 13:
        weights_of(net, 3)[3] = -8;
        return "layer 3 (dense), row 1: weight -8 in column 1 does not fit 4 bits";
    case 14:
        dense->weights.bits = 2;
        return "layer 3 (dense), row 0: weight -2 in column 1 does not fit 2 bits";
    case 15: dense->shift = shift; return "layer 3 (dense), row 1: shift 31, 0 to 30 are allowed";
    case 16: /* |3| * 32767 + |-4| * 32767 + 2147254279 is 2^31 */
        bias_of(net, 3)[1] = -2147254279;
        return "layer 3 (dense), row 1: accumulator bound 2147483648 does not fit 31 bits";
    default: return NULL;
    }
}

static const char *spoil_joints(struct net *net, int which)
{
    struct layer *add = &net->layers[4];
    struct layer *concat = &net->layers[5];
    static const uint8_t no_shift[] = {0, 0};
    switch (which) {
    case 0:
        add->inputs[2] = 2;
        add->input_count = 3;
        return "layer 4 (add): its input cannot be i16";
    case 1: net->tensors[5].width = 3; return "layer 4 (add): input 0 has 2 elements, the output 3";
    case 2: net->tensors[5].type = TYPE_U16; return "layer 4 (add): its output cannot be u16";
    case 3: add->shift = net->layers[1].shift; return "layer 4 (add): has parameters of another op";
    case 4:
        add->weights.rows = 1;
        return "layer 4 (add): has the weights, bias or activation of a dense layer";
    case 5: /* tensor 4, row 0: -20 - 2 * 32767 .. 32767 - 2 * 80, and the bias */
        net->layers[3].shift = no_shift;
        bias_of(net, 3)[0] = 2147385343;
        add->inputs[0] = 4; /* read twice */
        add->inputs[2] = 3;
        add->input_count = 3;
        return "layer 4 (add), element 0: sum 4294639578..4294835900 does not fit i32";
    case 6: concat->inputs[1] = 0; return "layer 5 (concat): input 1 is u16, the output i16";
    case 7:
        net->tensors[6].width = 5;
        return "layer 5 (concat): the inputs have 4 elements, the output 5";
    case 8:
        concat->zero = net->layers[0].zero;
        return "layer 5 (concat): has parameters of another op";
    default: return NULL;
    }
}

static const char *spoil_meaning(struct net *net, int which)
{
    switch (which) {
    case 0: net->inputs = NULL; return "inputs are not described";
    case 1: net->outputs = NULL; return "outputs are not described";
    case 2: channel_of(&net->inputs)->lsb.digits = 0; return "input 1: lsb must be positive";
    case 3: channel_of(&net->outputs)->lsb.digits = -1; return "output 1: lsb must be positive";
    case 4:
        channel_of(&net->outputs)->offset.exponent = 31;
        return "output 1: a number is out of range";
    case 5:
        channel_of(&net->inputs)->low.digits = -DECIMAL_DIGITS_MAX - 1;
        return "input 1: a number is out of range";
    case 6: channel_of(&net->inputs)->name = NULL; return "name of input 1 is missing";
    case 7: channel_of(&net->inputs)->name = long_name; return "name of input 1 is too long";
    case 8:
        channel_of(&net->outputs)->unit = "\xc3";
        return "unit of output 1 is not UTF-8 free of control characters";
    case 9:
        channel_of(&net->outputs)->name = "a\nb";
        return "name of output 1 is not UTF-8 free of control characters";
    case 10: net->name = "\x1b[2J"; return "the net's name is not UTF-8 free of control characters";
    case 11: net->label = "kind"; return "a regression net has no classes and no label";
    case 12: net->task = (enum task)2; return "unknown task";
    case 13:
        net->task = TASK_CLASSIFICATION;
        return "classification needs at least two named classes";
    case 14: {
        static const char *const classes[] = {"a", "b", "c\x7f", "d"};
        net->task = TASK_CLASSIFICATION;
        net->classes = classes;
        return "name of class 2 is not UTF-8 free of control characters";
    }
    case 15: net->provenance.options = NULL; return "provenance: options is missing";
    case 16:
        net->provenance.data_hash = "0123456789ABCDEF";
        return "provenance: data is not 16 hexadecimal digits";
    case 17: net->provenance.score.known = true; return "provenance: the score is out of range";
    default: return NULL;
    }
}

/* The net's output gets an argmax, or a softmax, behind it. */
static struct layer *append(struct net *net, enum op op)
{
    assert_true(net_append(net, op));
    return &net->layers[net->layer_count - 1];
}

static const char *spoil_last(struct net *net, int which)
{
    switch (which) {
    case 0:
        append(net, OP_ARGMAX);
        net->tensors[7].type = TYPE_U4;
        return "the output cannot be u4";
    case 1:
        append(net, OP_SOFTMAX);
        net->tensors[7].type = TYPE_I8;
        return "layer 6 (softmax): its output cannot be i8";
    case 2: append(net, OP_SOFTMAX)->inputs[0] = 0; return "tensor 6 is never read";
    case 3:
        append(net, OP_SOFTMAX)->scale.multiplier = 0;
        return "layer 6 (softmax): its scale is out of range";
    case 4:
        append(net, OP_SOFTMAX)->scale.shift = 22;
        return "layer 6 (softmax): its scale is out of range";
    case 5:
        append(net, OP_ARGMAX)->scale.multiplier = 1;
        return "layer 6 (argmax): has the scale of a softmax";
    case 6:
        append(net, OP_ARGMAX)->window.rows = 1;
        return "layer 6 (argmax): it has numbers of another window; its input is 1 x 1 x 4";
    case 7:
        append(net, OP_SOFTMAX)->activation = ACTIVATION_RELU;
        return "layer 6 (softmax): has the weights, bias or activation of a dense layer";
    default: return NULL;
    }
}

/* Sums of i32 on both sides of 0 lie further apart than i32 holds. */
static void test_far_apart(void **state)
{
    struct error err = {0};
    struct net *net = sound_net();
    (void)state;
    net->layer_count = 5; /* without the concat */
    net->tensor_count = 6;
    net->output = 5;
    net->tensors[5].type = TYPE_I32;
    net->layers[2].shift = (const uint8_t[]){0, 0};
    bias_of(net, 2)[0] = 1500000000;
    bias_of(net, 2)[1] = -1500000000;
    if (!net_check(net, "a.mote", &err)) {
        fail_msg("%s", err.message);
    }
    append(net, OP_SOFTMAX);
    assert_false(net_check(net, "a.mote", &err));
    assert_non_null(strstr(err.message, "layer 5 (softmax): inputs -15"));
    assert_non_null(strstr(err.message, " lie too far apart"));
    net_free(net);
}

static void test_each(void **state)
{
    static const char *(*const spoilers[])(struct net * net, int which) = {
        spoil_counts, spoil_flow,    spoil_convert, spoil_dense,
        spoil_joints, spoil_meaning, spoil_last};
    int cases = 0;
    (void)state;
    for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
        const char *expected = "";
        for (int which = 0; expected; which++) {
            struct net *net = sound_net();
            struct error err = {0};
            expected = spoilers[i](net, which);
            bool sound = net_check(net, "a.mote", &err);
            if (sound != !expected) {
                fail_msg("spoiler %zu, case %d: %s, not: %s", i, which, err.message,
                         expected ? expected : "sound");
            }
            if (expected) {
                assert_memory_equal(err.message, "a.mote: ", 8);
                assert_string_equal(err.message + 8, expected);
                cases++;
            }
            net_free(net);
        }
    }
    assert_int_equal(cases, 12 + 11 + 10 + 17 + 9 + 18 + 8);
}

/* 65536 columns of the widest weights and activations: far above 2^31, and no overflow on the way.
 */
static void test_widest_row(void **state)
{
    static int16_t weights[NET_WIDTH_MAX];
    static struct channel channels[NET_WIDTH_MAX];
    struct error err = {0};
    struct net *net = net_new("wide");
    (void)state;
    assert_non_null(net);
    for (int j = 0; j < NET_WIDTH_MAX; j++) {
        weights[j] = j % 2 ? 32767 : -32767;
        channels[j] = (struct channel){.name = "", .unit = "", .lsb = {1, 0}};
    }
    net->input = net_add_tensor(net, TYPE_I16, NET_WIDTH_MAX);
    net->output = net_add_tensor(net, TYPE_I16, 1);
    const struct layer dense = {.op = OP_DENSE,
                                .input_count = 1,
                                .output = 1,
                                .weights = {16, 1, NET_WIDTH_MAX, weights, false},
                                .bias = (const int32_t[]){INT32_MIN},
                                .shift = (const uint8_t[]){30}};
    assert_true(net_add_layer(net, &dense) && net_set_channels(net, channels, channels));
    assert_false(net_check(net, "wide.mote", &err)); /* 65536 * 32767 * 32768 + 2^31 */
    assert_string_equal(err.message, "wide.mote: layer 0 (dense), row 0: accumulator bound "
                                     "70368744177664 does not fit 31 bits");
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_far_apart),
        cmocka_unit_test(test_widest_row),
    };
    memset(long_name, 'n', NET_NAME_MAX + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
