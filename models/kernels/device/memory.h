/* The memory kernels; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_DEVICE_MEMORY_H
#define SOTTO_MODELS_KERNELS_DEVICE_MEMORY_H

#include "models/kernels/device/device.h"

/*
 * Whole pages of the system's. Those that were never written take no memory, and what holds zeros
 * is not wiped: room that is set aside for the longest text, and not used, costs nothing.
 */
struct sotto_device_memory *sotto_cpu_reserve(size_t bytes);
void sotto_cpu_release(struct sotto_device_memory *memory, size_t bytes);

/* Two copies. */
void sotto_cpu_upload(struct sotto_device_float *to, const float *from, size_t count);
void sotto_cpu_download(float *to, const struct sotto_device_float *from, size_t count);
void sotto_cpu_download_loss(struct sotto_loss *to, const struct sotto_device_loss *from);

/* The same address; nothing to let go of. */
const struct sotto_device_float *sotto_cpu_adopt(const float *values, size_t count);
void sotto_cpu_disown(const struct sotto_device_float *values, size_t count);

#endif
