// The tensors that JavaScript holds, by number: a number that is not in use is told, never followed.
#ifndef KAFSCOPE_TORCH_SLOTS_H
#define KAFSCOPE_TORCH_SLOTS_H

#include <node_api.h>

#include "torchApi.h"

/* Keeps the tensor, which is given over. Returns its number, or -1 where there is no memory (the tensor is freed then). */
int32_t KeepTensor(TorchTensor tensor);

/* NULL where no tensor has that number. */
TorchTensor TensorAt(int32_t number);

/* False where no tensor has that number. */
bool FreeTensor(int32_t number);

int32_t CountTensors(void);

/* Throws `what`, PyTorch's own words for it appended. Returns NULL, as an addon's function does then. */
napi_value ThrowTorch(napi_env env, const char *what);

/* The tensor's number as a value; throws where it can't be kept. */
napi_value NumberOf(napi_env env, TorchTensor tensor);

/* The tensor with the value's number; throws and returns NULL where there is none. */
TorchTensor TensorOf(napi_env env, napi_value value);

enum { HIGHEST_RANK = 16 };

typedef struct {
  int64_t rank;
  int64_t lengths[HIGHEST_RANK];
} Shape;

/* From an array of integers; throws and returns false on anything else. */
bool ShapeOf(napi_env env, napi_value value, Shape *shape);

/* Row-major, of the same rank. */
Shape StridesOf(const Shape *shape);

int64_t SizeOf(const Shape *shape);

#endif
