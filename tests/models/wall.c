#include "tests/models/wall.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

static const size_t capacity = (size_t)256 << 20;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* Behind the gate, but for `cpu` and `memory`, which stay. */
static struct {
    const struct sotto_kernels *cpu;
    uint8_t *memory; /* [capacity], handed out anew when all of it has come back */
    size_t used;
    size_t reserved;
    struct wall_tally tally;
} wall;

/* One entry at a time. */
static void open_wall(size_t *counter)
{
    pthread_mutex_lock(&gate);
    (*counter)++;
    if (wall.used > 0 && mprotect(wall.memory, wall.used, PROT_READ | PROT_WRITE) != 0)
        abort();
}

static void close_wall(void)
{
    if (wall.used > 0 && mprotect(wall.memory, wall.used, PROT_NONE) != 0)
        abort();
    pthread_mutex_unlock(&gate);
}

static bool is_behind(const void *at)
{
    const uint8_t *byte = at;

    return byte >= wall.memory && byte < wall.memory + wall.used;
}

/* It opens nothing: what was never handed out is zero. */
static struct sotto_device_memory *wall_reserve(size_t bytes)
{
    uint8_t *at = NULL;

    pthread_mutex_lock(&gate);
    wall.tally.reserves++;
    if (bytes <= capacity - wall.used - PAGE) {
        at = wall.memory + wall.used;
        wall.used += (bytes + PAGE - 1) / PAGE * PAGE;
        wall.reserved += bytes;
    }
    pthread_mutex_unlock(&gate);
    return (struct sotto_device_memory *)at;
}

static void wall_release(struct sotto_device_memory *memory, size_t bytes)
{
    open_wall(&wall.tally.releases);
    assert(is_behind(memory));
    memset((void *)memory, 0xff, bytes);
    wall.reserved -= bytes;
    close_wall();
    if (wall.reserved > 0)
        return;
    if (madvise(wall.memory, wall.used, MADV_DONTNEED) != 0)
        abort();
    wall.used = 0;
}

static void wall_upload(struct sotto_device_float *to, const float *from, size_t count)
{
    open_wall(&wall.tally.uploads);
    assert((count == 0 || is_behind(to)) && !is_behind(from));
    wall.cpu->upload(to, from, count);
    close_wall();
}

static void wall_download(float *to, const struct sotto_device_float *from, size_t count)
{
    open_wall(&wall.tally.downloads);
    assert(is_behind(from) && !is_behind(to));
    wall.cpu->download(to, from, count);
    close_wall();
}

static void wall_download_loss(struct sotto_loss *to, const struct sotto_device_loss *from)
{
    open_wall(&wall.tally.loss_downloads);
    assert(is_behind(from) && !is_behind(to));
    wall.tally.launches_at_loss = wall.tally.launches;
    wall.cpu->download_loss(to, from);
    close_wall();
}

/* A copy: this device cannot read the host's memory. */
static const struct sotto_device_float *wall_adopt(const float *values, size_t count)
{
    struct sotto_device_float *copy =
        (struct sotto_device_float *)wall_reserve(count * sizeof *values);

    if (copy != NULL)
        wall_upload(copy, values, count);
    return copy;
}

static void wall_disown(const struct sotto_device_float *values, size_t count)
{
    wall_release((struct sotto_device_memory *)values, count * sizeof *values);
}

static struct sotto_packed wall_pack(struct sotto_device_bf16 *memory, struct sotto_matrix_view w)
{
    struct sotto_packed packed;

    open_wall(&wall.tally.updates);
    packed = wall.cpu->pack(memory, w);
    close_wall();
    return packed;
}

static struct sotto_packed wall_pack_floats(struct sotto_device_float *memory,
                                            struct sotto_matrix_view w)
{
    struct sotto_packed packed;

    open_wall(&wall.tally.updates);
    packed = wall.cpu->pack_floats(memory, w);
    close_wall();
    return packed;
}

static bool wall_packs_floats(void)
{
    return wall.cpu->packs_floats();
}

static void wall_adamw(struct sotto_device_float *weights, struct sotto_moments moments,
                       const struct sotto_device_float *gradients,
                       const struct sotto_adamw_factors *factors, size_t count)
{
    open_wall(&wall.tally.updates);
    wall.cpu->adamw(weights, moments, gradients, factors, count);
    close_wall();
}

static void wall_pull(struct sotto_device_float *y, const struct sotto_device_float *x,
                      const struct sotto_device_float *start, float factor, size_t count)
{
    open_wall(&wall.tally.updates);
    wall.cpu->pull(y, x, start, factor, count);
    close_wall();
}

/* An entry that computes: the CPU's, behind the wall. */
#define LAUNCH(name, parameters, arguments)                                                        \
    static void wall_##name parameters                                                             \
    {                                                                                              \
        open_wall(&wall.tally.launches);                                                           \
        wall.cpu->name arguments;                                                                  \
        close_wall();                                                                              \
    }

LAUNCH(matmul,
       (struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b, float alpha,
        float beta),
       (c, a, b, alpha, beta))
LAUNCH(affine,
       (struct sotto_matrix y, struct sotto_matrix_view x, struct sotto_matrix_view weight,
        const struct sotto_device_float *bias, struct sotto_matrix_view residual),
       (y, x, weight, bias, residual))
LAUNCH(affine_packed,
       (struct sotto_matrix y, struct sotto_matrix_view x, const struct sotto_packed *w,
        const struct sotto_device_float *bias, struct sotto_matrix_view residual),
       (y, x, w, bias, residual))
LAUNCH(matmul_packed,
       (struct sotto_matrix c, struct sotto_matrix_view a, const struct sotto_packed *w), (c, a, w))
LAUNCH(fill_rows,
       (struct sotto_matrix y, const struct sotto_device_float *bias,
        struct sotto_matrix_view residual),
       (y, bias, residual))
LAUNCH(add_column_sums, (struct sotto_device_float * sums, struct sotto_matrix_view x), (sums, x))
LAUNCH(add, (struct sotto_device_float * y, const struct sotto_device_float *x, size_t count),
       (y, x, count))
LAUNCH(add_rows, (struct sotto_matrix y, struct sotto_matrix_view x), (y, x))
LAUNCH(copy, (struct sotto_device_float * y, const struct sotto_device_float *x, size_t count),
       (y, x, count))
LAUNCH(clear, (struct sotto_device_float * y, size_t count), (y, count))
LAUNCH(activate,
       (struct sotto_matrix y, struct sotto_matrix_view z, enum sotto_activation activation),
       (y, z, activation))
LAUNCH(activate_backward,
       (struct sotto_matrix dz, struct sotto_matrix_view dy, struct sotto_matrix_view z,
        enum sotto_activation activation),
       (dz, dy, z, activation))
LAUNCH(norm_forward,
       (struct sotto_matrix y, struct sotto_norm_rows rows, struct sotto_matrix_view x,
        const struct sotto_norm *norm),
       (y, rows, x, norm))
LAUNCH(norm_backward,
       (struct sotto_matrix dx, struct sotto_matrix_view dy, struct sotto_matrix_view x,
        struct sotto_norm_rows rows, const struct sotto_norm *norm),
       (dx, dy, x, rows, norm))
LAUNCH(norm_parameters,
       (const struct sotto_norm *norm, struct sotto_matrix_view dy, struct sotto_matrix_view x,
        struct sotto_norm_rows rows),
       (norm, dy, x, rows))
LAUNCH(rotate,
       (struct sotto_matrix x, const struct sotto_rotary *rotary, uint32_t head_width,
        bool is_back),
       (x, rotary, head_width, is_back))
LAUNCH(drop,
       (struct sotto_matrix y, struct sotto_matrix_view x, const struct sotto_dropout *dropout),
       (y, x, dropout))
LAUNCH(attention_forward,
       (struct sotto_matrix y, const struct sotto_attention_inputs *inputs,
        const struct sotto_attention_shape *shape, struct sotto_device_float *scratch),
       (y, inputs, shape, scratch))
LAUNCH(attention_backward,
       (const struct sotto_attention_gradients *gradients, struct sotto_matrix_view dy,
        const struct sotto_attention_inputs *inputs, const struct sotto_attention_shape *shape,
        struct sotto_device_float *scratch),
       (gradients, dy, inputs, shape, scratch))
LAUNCH(cross_entropy,
       (struct sotto_matrix logits, const uint32_t *labels, float weight,
        struct sotto_device_loss *loss),
       (logits, labels, weight, loss))
LAUNCH(compare_patches,
       (struct sotto_matrix drawn, struct sotto_matrix_view patches, const uint32_t *rows,
        double scale, struct sotto_device_loss *loss),
       (drawn, patches, rows, scale, loss))
LAUNCH(clear_loss, (struct sotto_device_loss * loss), (loss))
LAUNCH(add_loss, (struct sotto_device_loss * all, const struct sotto_device_loss *part),
       (all, part))
LAUNCH(softmax_rows, (struct sotto_matrix x), (x))
LAUNCH(tanh_forward, (struct sotto_device_float * x, size_t count), (x, count))
LAUNCH(tanh_backward,
       (struct sotto_device_float * dx, const struct sotto_device_float *y, size_t count),
       (dx, y, count))
LAUNCH(gather_rows, (struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows),
       (y, x, rows))
LAUNCH(scatter_rows, (struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows),
       (y, x, rows))
LAUNCH(cut_patches,
       (struct sotto_device_float * rows, const uint8_t *pixels,
        const struct sotto_patch_shape *shape, const struct sotto_pixel_map *map),
       (rows, pixels, shape, map))

static const struct sotto_kernels kernels = {
    .name = "wall",
    .reserve = wall_reserve,
    .release = wall_release,
    .upload = wall_upload,
    .download = wall_download,
    .download_loss = wall_download_loss,
    .adopt = wall_adopt,
    .disown = wall_disown,
    .matmul = wall_matmul,
    .affine = wall_affine,
    .pack = wall_pack,
    .pack_floats = wall_pack_floats,
    .packs_floats = wall_packs_floats,
    .affine_packed = wall_affine_packed,
    .matmul_packed = wall_matmul_packed,
    .fill_rows = wall_fill_rows,
    .add_column_sums = wall_add_column_sums,
    .add = wall_add,
    .add_rows = wall_add_rows,
    .copy = wall_copy,
    .clear = wall_clear,
    .activate = wall_activate,
    .activate_backward = wall_activate_backward,
    .norm_forward = wall_norm_forward,
    .norm_backward = wall_norm_backward,
    .norm_parameters = wall_norm_parameters,
    .rotate = wall_rotate,
    .drop = wall_drop,
    .attention_forward = wall_attention_forward,
    .attention_backward = wall_attention_backward,
    .cross_entropy = wall_cross_entropy,
    .compare_patches = wall_compare_patches,
    .clear_loss = wall_clear_loss,
    .add_loss = wall_add_loss,
    .softmax_rows = wall_softmax_rows,
    .tanh_forward = wall_tanh_forward,
    .tanh_backward = wall_tanh_backward,
    .gather_rows = wall_gather_rows,
    .scatter_rows = wall_scatter_rows,
    .cut_patches = wall_cut_patches,
    .adamw = wall_adamw,
    .pull = wall_pull,
};

const struct sotto_kernels *wall_kernels(void)
{
    void *memory;

    if (wall.memory != NULL)
        return &kernels;
    wall.cpu = sotto_kernels_cpu();
    memory = mmap(NULL, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    wall.memory = memory;
    return &kernels;
}

struct wall_tally wall_tally(void)
{
    return wall.tally;
}

size_t wall_bytes(void)
{
    return wall.reserved;
}
