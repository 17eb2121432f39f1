/* mote show: the network for people, or as JSON. */
#include "cli/cli.h"

struct settings {
    int json;
};

static const struct option options[] = {OPTION_JSON(settings), {0}};

static enum exit_code run(const struct verb *verb, int count, char **words)
{
    struct settings settings = {0};
    struct arguments arguments;
    enum exit_code code;
    if (!options_parse(verb, count, words, &settings, &arguments, &code)) {
        return code;
    }
    struct error err = {0};
    struct net *net = net_read(arguments.positional[0], &err);
    if (!net) {
        return report_error(&err);
    }
    if (settings.json) {
        code = print_json(json_net(net));
    } else {
        struct text out = {0};
        out.failed = !net_show(net, &out) || out.failed;
        code = print_result(&out);
    }
    net_free(net);
    return code;
}

const struct verb verb_show = {
    .name = "show",
    .summary = "print a network: channels, layers, bounds, score",
    .usage = "NET [--json]",
    .text =
        "Prints what NET (a .mote file, '-' for standard input) takes and gives, with units and\n"
        "steps, and a line per layer: shape, weights, bits, the bound of its accumulators.",
    .example = "  mote show pose.mote",
    .options = options,
    .positionals = 1,
    .run = run,
};
