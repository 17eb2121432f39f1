/* Places of maps in their arrays.  Bytes and the words of maps in lanes share one; what is needed
 * at the same time lies apart. */
#include "emit/map.h"

#include <string.h>

static int larger(int a, int b)
{
    return a > b ? a : b;
}

int map_writer(const struct net *net, int tensor)
{
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].output == tensor) {
            return i;
        }
    }
    return -1;
}

/* When something in an array is needed, in half layers: a layer first reads what it copies into
 * lanes or lists, then computes its output. */
struct life {
    int first;
    int last;
};

/* What takes a place in an array: a map, or the words of a layer in lanes. */
struct room {
    struct life life;
    enum type array;
    int size; /* -1: it wants no place */
    int align;
    int offset; /* -1: not placed yet */
};

#define ROOMS_MAX (NET_TENSORS_MAX + NET_LAYERS_MAX)
/* Other orders are tried for at most so many, since that takes their fourth power of time. */
#define ROOMS_TRIED 20

/* All rooms, and those that want a place in the order in which they get it. */
struct rooms {
    struct room of[ROOMS_MAX];
    int count;
    int order[ROOMS_MAX];
    int placed;
};

static int root_of(const struct plan *plan, int tensor)
{
    while (plan->maps->views[tensor].reshaped) {
        tensor = plan->net->layers[map_writer(plan->net, tensor)].inputs[0];
    }
    return tensor;
}

/* Until when a layer reads its inputs: what runs as a loop of another one does it as long as that,
 * and where all of them are copied into lanes or lists only until that is done. */
static int last_use(const struct plan *plan, int index)
{
    const struct map_rows *rows = &plan->maps->rows[index];
    if (map_in_stream(plan, index)) {
        return 2 * plan->maps->streams[index].last + 1;
    }
    bool runs_there = rows->direct && rows->direct->reader >= 0;
    int end = runs_there ? rows->direct->reader : index;
    const struct lanes *lanes = plan->maps->rows[end].lanes;
    bool copied = (lanes && !lanes->rolls && (runs_there || lanes->writer < 0)) || rows->planes > 0;
    return copied ? 2 * end : 2 * end + 1;
}

/* Zeros that a map begins with are there before its layer copies anything. */
static int first_use(const struct plan *plan, int tensor)
{
    int first = map_writer(plan->net, tensor);
    first = map_is_pooled(plan, first) ? first - 1 : first;
    return first < 0 ? -1 : 2 * plan->maps->streams[first].first + !plan->maps->views[tensor].zeros;
}

static int round_up(int bytes)
{
    return (bytes + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES;
}

static struct room map_room(const struct plan *plan, int tensor)
{
    enum type type = plan->net->tensors[tensor].type;
    const struct map_view *view = &plan->maps->views[tensor];
    bool needs = view->home == HOME_BUFFER && !view->reshaped && !view->in_lanes && !view->nowhere;
    bool words = view->packed && map_written_in_lanes(plan, tensor); /* zeros come in words */
    return (struct room){.life = {first_use(plan, tensor), -1},
                         .array = type == TYPE_U4 ? TYPE_U8 : type,
                         .size = !needs  ? -1
                                 : words ? round_up(view->size)
                                         : view->size,
                         .align = words ? WORD_BYTES : 1,
                         .offset = -1};
}

static struct room words_room(const struct plan *plan, int index)
{
    const struct lanes *lanes = plan->maps->rows[index].lanes;
    return (struct room){.life = {2 * index, 2 * index + 1},
                         .array = TYPE_U8,
                         .size = lanes ? map_lanes_words_of_map(lanes) * WORD_BYTES : -1,
                         .align = WORD_BYTES,
                         .offset = -1};
}

static void find_rooms(const struct plan *plan, struct rooms *rooms)
{
    const struct net *net = plan->net;
    for (int t = 0; t < net->tensor_count; t++) {
        rooms->of[t] = map_room(plan, t);
    }
    for (int i = 0; i < net->layer_count; i++) {
        rooms->of[net->tensor_count + i] = words_room(plan, i);
        for (int k = 0; k < net->layers[i].input_count; k++) {
            struct life *life = &rooms->of[root_of(plan, net->layers[i].inputs[k])].life;
            life->last = larger(life->last, last_use(plan, i));
        }
    }
    rooms->count = net->tensor_count + net->layer_count;
}

static bool in_the_way(const struct room *room, const struct room *other)
{
    return other->offset >= 0 && room->array == other->array &&
           room->life.first <= other->life.last && other->life.first <= room->life.last &&
           room->offset < other->offset + other->size && other->offset < room->offset + room->size;
}

/* Its lowest place that nothing of the same time takes. */
static void place(struct room *room, const struct rooms *rooms)
{
    room->offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < rooms->placed; i++) {
            const struct room *other = &rooms->of[rooms->order[i]];
            if (other != room && in_the_way(room, other)) {
                int end = other->offset + other->size;
                room->offset = room->align > 1 ? round_up(end) : end;
                moved = true;
            }
        }
    }
}

int64_t map_array_bytes(const struct plan *plan)
{
    static const int bytes[] = {1, 1, 2, 2, 4, 1}; /* of an element of each type */
    int64_t sum = 0;
    for (int type = TYPE_I8; type <= TYPE_U4; type++) {
        sum += (int64_t)bytes[type] * plan->maps->arrays[type];
    }
    return sum;
}

/* Places for all, in their order; the bytes of all arrays. */
static int64_t place_all(struct plan *plan, struct rooms *rooms)
{
    int *arrays = plan->maps->arrays;
    memset(arrays, 0, sizeof plan->maps->arrays);
    for (int i = 0; i < rooms->placed; i++) {
        rooms->of[rooms->order[i]].offset = -1;
    }
    for (int i = 0; i < rooms->placed; i++) {
        struct room *room = &rooms->of[rooms->order[i]];
        place(room, rooms);
        arrays[room->array] = larger(arrays[room->array], room->offset + room->size);
    }
    return map_array_bytes(plan);
}

/* The largest first. */
static void sort_rooms(struct rooms *rooms)
{
    rooms->placed = 0;
    for (int i = 0; i < rooms->count; i++) {
        int k = rooms->placed;
        if (rooms->of[i].size >= 0) {
            for (; k > 0 && rooms->of[rooms->order[k - 1]].size < rooms->of[i].size; k--) {
                rooms->order[k] = rooms->order[k - 1];
            }
            rooms->order[k] = i;
            rooms->placed++;
        }
    }
}

/* Entry `from` goes in front of entry `to` < from, or back. */
static void move_up(int *order, int from, int to)
{
    int moved = order[from];
    memmove(&order[to + 1], &order[to], (size_t)(from - to) * sizeof *order);
    order[to] = moved;
}

static void move_back(int *order, int from, int to)
{
    int moved = order[to];
    memmove(&order[to], &order[to + 1], (size_t)(from - to) * sizeof *order);
    order[from] = moved;
}

/* Would another order need fewer bytes?  Each room in turn goes in front of each before it. */
static bool improve_order(struct plan *plan, struct rooms *rooms, int64_t *bytes)
{
    for (int from = 1; rooms->placed <= ROOMS_TRIED && from < rooms->placed; from++) {
        for (int to = 0; to < from; to++) {
            move_up(rooms->order, from, to);
            int64_t other = place_all(plan, rooms);
            if (other < *bytes) {
                *bytes = other;
                return true;
            }
            move_back(rooms->order, from, to);
        }
    }
    return false;
}

/* Where the rooms are, for the printers. */
static void keep_places(struct plan *plan, const struct rooms *rooms)
{
    const struct net *net = plan->net;
    struct map_view *views = plan->maps->views;
    plan->maps->bytes = false;
    for (int t = 0; t < net->tensor_count; t++) {
        int offset = rooms->of[root_of(plan, t)].offset;
        plan->maps->bytes =
            plan->maps->bytes || (rooms->of[t].size >= 0 && rooms->of[t].array == TYPE_U8);
        views[t].offset = views[t].home == HOME_BUFFER ? offset : 0;
        views[t].offset += map_zeros_before(&views[t]);
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (plan->maps->rows[i].lanes) {
            plan->maps->rows[i].lanes->first = rooms->of[net->tensor_count + i].offset / WORD_BYTES;
        }
    }
}

/* Each at the lowest place that is free for as long as it is needed, in an order that leaves the
 * arrays small. */
void map_plan_places(struct plan *plan)
{
    struct rooms rooms;
    find_rooms(plan, &rooms);
    sort_rooms(&rooms);
    int64_t bytes = place_all(plan, &rooms);
    while (improve_order(plan, &rooms, &bytes)) {
    }
    (void)place_all(plan, &rooms);
    keep_places(plan, &rooms);
}
