/* From a net to three objects: predict.o (the emitted code behind one function), code.elf (the
 * same linked alone, for its size) and image.elf (with harness and start-up, to run). */
#include "base/file.h"
#include "measure/work.h"

#include <string.h>

static const char *c_type(enum type type)
{
    switch (type) {
    case TYPE_I8: return "int8_t";
    case TYPE_U8:
    case TYPE_U4: return "uint8_t";
    case TYPE_I16: return "int16_t";
    case TYPE_U16: return "uint16_t";
    case TYPE_I32: break;
    }
    return "int32_t";
}

static bool write_text(struct work *work, const char *file, struct text *text)
{
    const char *path = work_path(work, file);
    bool done = path && !text->failed;
    done = done ? file_write(path, text->data, text->length, work->err) : fail_memory(work->err);
    text_free(text);
    return done;
}

static bool write_header(struct work *work)
{
    struct text header = {0};
    struct text source = {0};
    struct emit_options options = {.name = "net",
                                   .optimise = work->options->optimise,
                                   .layers = work->options->layers,
                                   .kernel = work->options->kernel,
                                   .machine = work->target->machine,
                                   .constant_time = work->options->constant_time};
    if (work->options->assembly) {
        (void)emit_variants_parse(work->target->variants, &options.variants);
    }
    if (work->options->header) {
        text_add(&header, work->options->header);
    } else if (!emit_c(work->net, &options, &header, &source, work->err)) {
        text_free(&header);
        text_free(&source);
        return false;
    }
    text_free(&source);
    return write_text(work, "net.h", &header);
}

/* The emitted function under one name, with external linkage. */
static bool write_predict(struct work *work, const char *in, const char *out)
{
    struct text text = {0};
    text_printf(&text,
                "#include \"net.h\"\n"
                "\n"
                "void mote_predict(const %s *in, %s *out);\n"
                "\n"
                "void mote_predict(const %s *in, %s *out)\n"
                "{\n"
                "    net_predict(in, out);\n"
                "}\n",
                in, out, in, out);
    return write_text(work, "predict.c", &text);
}

/* Each vector in, one call, its outputs out (targets/board.h). */
static const char harness[] = "\n"
                              "void board_call(const void *in, void *out)\n"
                              "{\n"
                              "    mote_predict(in, out);\n"
                              "}\n"
                              "\n"
                              "int main(void)\n"
                              "{\n"
                              "    while (board_read(mote_in, sizeof mote_in)) {\n"
                              "        board_order(mote_in, sizeof mote_in, sizeof *mote_in);\n"
                              "        mote_predict(mote_in, mote_out);\n"
                              "        board_order(mote_out, sizeof mote_out, sizeof *mote_out);\n"
                              "        board_write(mote_out, sizeof mote_out);\n"
                              "    }\n"
                              "    board_end();\n"
                              "    return 0;\n"
                              "}\n";

/* The arrays of one vector and, where the image runs by itself, the harness. */
static bool write_main(struct work *work, const char *in, const char *out)
{
    struct text text = {0};
    text_printf(&text,
                "#include \"board.h\"\n"
                "#include <stdint.h>\n"
                "\n"
                "void mote_predict(const %s *in, %s *out);\n"
                "int main(void);\n"
                "\n"
                "%s mote_in[%d];\n"
                "%s mote_out[%d];\n",
                in, out, in, work->net->tensors[work->net->input].width, out,
                work->net->tensors[work->net->output].width);
    text_add(&text, counted_alone(work) ? "" : harness);
    return write_text(work, "main.c", &text);
}

static bool write_sources(struct work *work)
{
    const char *in = c_type(work->net->tensors[work->net->input].type);
    const char *out = c_type(work->net->tensors[work->net->output].type);
    return write_header(work) && write_predict(work, in, out) && write_main(work, in, out);
}

/* The target's compiler with its flags, and `words`. */
static bool compile(struct work *work, const char *words, const char *link, const char *what)
{
    const struct target *target = work->target;
    struct command command = work_command(work, NULL);
    struct outcome outcome;
    command_add(&command, target->compiler);
    command_add(&command, work->options->optimise == OPTIMISE_SIZE ? target->optimise_size
                                                                   : target->optimise_speed);
    command_add(&command, words);
    command_add(&command, link);
    bool done = work_run(work, &command, what, &outcome);
    outcome_free(&outcome);
    return done;
}

bool build_images(struct work *work)
{
    const struct target *target = work->target;
    struct text image = {0};
    /* Costs alone take no start-up: the code links without it, too. */
    text_printf(&image, "-I{targets} main.c predict.o %s -o image.elf",
                counted_alone(work) && !target_is_counted(target)
                    ? "-Wl,--entry=mote_predict -Wl,-u,mote_in -Wl,-u,mote_out"
                    : target->support);
    if (image.failed) {
        text_free(&image);
        return fail_memory(work->err);
    }
    bool done = write_sources(work) &&
                compile(work, "-c predict.c -o predict.o", "", "the emitted file does not compile");
    if (done && !target_is_native(target)) {
        done = compile(work, "-Wl,--entry=mote_predict predict.o -o code.elf", target->link,
                       "the code does not link");
    }
    done = done && compile(work, image.data, target->link, "the test image does not link");
    text_free(&image);
    return done;
}
