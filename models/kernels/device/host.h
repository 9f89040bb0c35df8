/*
 * The device of the CPU's table is the host: an address there is an address here. For the CPU's
 * kernels alone; NULL stays NULL.
 */
#ifndef SOTTO_MODELS_KERNELS_DEVICE_HOST_H
#define SOTTO_MODELS_KERNELS_DEVICE_HOST_H

#include "models/kernels/device/device.h"

static inline const float *sotto_host_read(const struct sotto_device_float *at)
{
    return (const float *)at;
}

static inline float *sotto_host_write(struct sotto_device_float *at)
{
    return (float *)at;
}

static inline const uint16_t *sotto_host_read_bf16(const struct sotto_device_bf16 *at)
{
    return (const uint16_t *)at;
}

static inline uint16_t *sotto_host_write_bf16(struct sotto_device_bf16 *at)
{
    return (uint16_t *)at;
}

#endif
