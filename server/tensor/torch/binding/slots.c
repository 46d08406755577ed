#include "slots.h"

#include <stdio.h>
#include <stdlib.h>

#include "library.h"

static struct {
  TorchTensor *tensors;
  int32_t *free;
  int32_t nFree;
  int32_t length;
} slots;

static bool GrowSlots(void) {
  int32_t length = slots.length == 0 ? 1024 : 2 * slots.length;
  TorchTensor *tensors = realloc(slots.tensors, length * sizeof *tensors);
  if (tensors == NULL) return false;
  slots.tensors = tensors;
  int32_t *unused = realloc(slots.free, length * sizeof *unused);
  if (unused == NULL) return false;
  slots.free = unused;
  for (int32_t number = length - 1; number >= slots.length; number--) {
    slots.tensors[number] = NULL;
    slots.free[slots.nFree++] = number;
  }
  slots.length = length;
  return true;
}

int32_t KeepTensor(TorchTensor tensor) {
  if (slots.nFree == 0 && !GrowSlots()) {
    torch.aoti_torch_delete_tensor_object(tensor);
    return -1;
  }
  int32_t number = slots.free[--slots.nFree];
  slots.tensors[number] = tensor;
  return number;
}

TorchTensor TensorAt(int32_t number) {
  return number >= 0 && number < slots.length ? slots.tensors[number] : NULL;
}

bool FreeTensor(int32_t number) {
  TorchTensor tensor = TensorAt(number);
  if (tensor == NULL) return false;
  slots.tensors[number] = NULL;
  slots.free[slots.nFree++] = number;
  return torch.aoti_torch_delete_tensor_object(tensor) == 0;
}

int32_t CountTensors(void) { return slots.length - slots.nFree; }

napi_value ThrowTorch(napi_env env, const char *what) {
  char text[LONGEST_TEXT];
  const char *words = LastWords();
  snprintf(text, sizeof text, *words == '\0' ? "%s" : "%s: %s", what, words);
  napi_throw_error(env, NULL, text);
  return NULL;
}

napi_value NumberOf(napi_env env, TorchTensor tensor) {
  napi_value value = NULL;
  int32_t number = KeepTensor(tensor);
  if (number < 0) {
    napi_throw_error(env, NULL, "out of memory");
  } else if (napi_create_int32(env, number, &value) != napi_ok) {
    FreeTensor(number);
    napi_throw_error(env, NULL, "a tensor's number can't be made");
  }
  return value;
}

TorchTensor TensorOf(napi_env env, napi_value value) {
  int32_t number = -1;
  if (napi_get_value_int32(env, value, &number) != napi_ok) number = -1;
  TorchTensor tensor = TensorAt(number);
  if (tensor == NULL) napi_throw_range_error(env, NULL, "no tensor has this number");
  return tensor;
}

bool ShapeOf(napi_env env, napi_value value, Shape *shape) {
  uint32_t rank = 0;
  if (napi_get_array_length(env, value, &rank) != napi_ok || rank > HIGHEST_RANK) {
    napi_throw_range_error(env, NULL, "expected an array of at most 16 lengths");
    return false;
  }
  shape->rank = rank;
  for (uint32_t axis = 0; axis < rank; axis++) {
    napi_value length;
    if (napi_get_element(env, value, axis, &length) != napi_ok ||
        napi_get_value_int64(env, length, &shape->lengths[axis]) != napi_ok) {
      napi_throw_type_error(env, NULL, "expected an array of numbers");
      return false;
    }
  }
  return true;
}

Shape StridesOf(const Shape *shape) {
  Shape strides = {.rank = shape->rank};
  int64_t stride = 1;
  for (int64_t axis = shape->rank - 1; axis >= 0; axis--) {
    strides.lengths[axis] = stride;
    if (shape->lengths[axis] > 1) stride *= shape->lengths[axis];
  }
  return strides;
}

int64_t SizeOf(const Shape *shape) {
  int64_t size = 1;
  for (int64_t axis = 0; axis < shape->rank; axis++) size *= shape->lengths[axis];
  return size;
}
