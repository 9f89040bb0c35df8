/*
 * The device of the CPU's table is the host: a test's own floats as that table takes them, and back
 * as the test reads them. NULL stays NULL.
 */
#ifndef SOTTO_TESTS_SUPPORT_DEVICE_H
#define SOTTO_TESTS_SUPPORT_DEVICE_H

#include "models/kernels/matrix.h"

static inline struct sotto_device_float *device_floats(float *at)
{
    return (struct sotto_device_float *)at;
}

static inline const struct sotto_device_float *device_view(const float *at)
{
    return (const struct sotto_device_float *)at;
}

static inline float *host_floats(struct sotto_device_float *at)
{
    return (float *)at;
}

static inline const float *host_view(const struct sotto_device_float *at)
{
    return (const float *)at;
}

/* Dense matrices over a test's floats. */
static inline struct sotto_matrix matrix_over(float *at, size_t rows, size_t columns)
{
    return sotto_matrix_of(device_floats(at), rows, columns);
}

static inline struct sotto_matrix_view view_over(const float *at, size_t rows, size_t columns)
{
    return sotto_matrix_view_of(device_view(at), rows, columns);
}

#endif
