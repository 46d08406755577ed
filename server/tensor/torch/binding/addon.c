// A Node addon through which JavaScript computes with the PyTorch that the user has: loading it, tensors by number, operators by name.
// What is computed, server/tensor/torch says; nothing here knows a kernel.
#include <node_api.h>
#include <string.h>

#include "devices.h"
#include "library.h"
#include "nvrtc.h"
#include "operations.h"
#include "reading.h"
#include "slots.h"

#define ARGUMENTS(count)                                                                                               \
  size_t nArguments = (count);                                                                                         \
  napi_value arguments[(count)];                                                                                       \
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments < (count)) {            \
    napi_throw_type_error(env, NULL, "too few arguments");                                                             \
    return NULL;                                                                                                       \
  }

/* open(path): throws the loader's own words where the library, or one that it needs, can't be loaded. */
static napi_value Open(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  char path[LONGEST_TEXT];
  size_t length;
  if (napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length) != napi_ok || length == sizeof path - 1) {
    napi_throw_type_error(env, NULL, "open: expected one path of fewer than 4095 bytes");
    return NULL;
  }
  const char *fault = OpenLibrary(path);
  if (fault != NULL) napi_throw_error(env, NULL, fault);
  return NULL;
}

static void SetNumber(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

/* find(): after the libraries are open. Gives {major, minor, codes of the types of data and of memory formats}. */
static napi_value Find(napi_env env, napi_callback_info info) {
  (void)info;
  const char *missing = FindFunctions();
  if (missing != NULL) {
    char text[LONGEST_TEXT] = "it has no function ";
    strncat(text, missing, sizeof text - strlen(text) - 1);
    napi_throw_error(env, NULL, text);
    return NULL;
  }
  torch.aoti_torch_grad_mode_set_enabled(false);
  uint64_t version = torch.aoti_torch_abi_version();
  napi_value found;
  napi_create_object(env, &found);
  SetNumber(env, found, "major", (double)(version >> 56 & 0xff));
  SetNumber(env, found, "minor", (double)(version >> 48 & 0xff));
  SetNumber(env, found, "float32", torch.aoti_torch_dtype_float32());
  SetNumber(env, found, "float64", torch.aoti_torch_dtype_float64());
  SetNumber(env, found, "int32", torch.aoti_torch_dtype_int32());
  SetNumber(env, found, "int64", torch.aoti_torch_dtype_int64());
  SetNumber(env, found, "bool", torch.aoti_torch_dtype_bool());
  SetNumber(env, found, "contiguous", torch.aoti_torch_memory_format_contiguous_format());
  SetNumber(env, found, "channelsLast", torch.aoti_torch_memory_format_channels_last());
  return found;
}

/* empty(shape, dtype) → tensor with undefined contents, on the device in use. */
static napi_value Empty(napi_env env, napi_callback_info info) {
  ARGUMENTS(2)
  Shape shape;
  int32_t dtype;
  TorchTensor made = NULL;
  if (!ShapeOf(env, arguments[0], &shape) || napi_get_value_int32(env, arguments[1], &dtype) != napi_ok) return NULL;
  Shape strides = StridesOf(&shape);
  if (torch.aoti_torch_empty_strided(shape.rank, shape.lengths, strides.lengths, dtype, device.type, device.index, &made) != 0) {
    return ThrowTorch(env, "a tensor can't be made");
  }
  return NumberOf(env, made);
}

/* constant(value) → a float32 of rank 0 in the host's memory, whatever the device. */
static napi_value Constant(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  double value;
  void *data = NULL;
  TorchTensor made = NULL;
  if (napi_get_value_double(env, arguments[0], &value) != napi_ok) return NULL;
  if (torch.aoti_torch_empty_strided(0, NULL, NULL, torch.aoti_torch_dtype_float32(), torch.aoti_torch_device_type_cpu(), 0,
                                     &made) != 0 ||
      torch.aoti_torch_get_data_ptr(made, &data) != 0) {
    return ThrowTorch(env, "a constant can't be made");
  }
  *(float *)data = (float)value;
  return NumberOf(env, made);
}

/* view(tensor, shape, strides) → a tensor of the same memory; strides null for row-major. The tensor must begin where its memory does. */
static napi_value View(napi_env env, napi_callback_info info) {
  ARGUMENTS(3)
  TorchTensor tensor = TensorOf(env, arguments[0]), made = NULL;
  Shape shape, strides;
  int64_t offset = 0;
  napi_valuetype type;
  if (tensor == NULL || !ShapeOf(env, arguments[1], &shape) || napi_typeof(env, arguments[2], &type) != napi_ok) return NULL;
  if (type == napi_null) {
    strides = StridesOf(&shape);
  } else if (!ShapeOf(env, arguments[2], &strides)) {
    return NULL;
  }
  if (torch.aoti_torch_get_storage_offset(tensor, &offset) != 0 ||
      torch.aoti_torch__reinterpret_tensor(tensor, shape.rank, shape.lengths, strides.lengths, offset, &made) != 0) {
    return ThrowTorch(env, "a view can't be made");
  }
  return NumberOf(env, made);
}

/* shape(tensor) → array of lengths. */
static napi_value GetShape(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  TorchTensor tensor = TensorOf(env, arguments[0]);
  int64_t rank = 0, *lengths = NULL;
  napi_value made = NULL, length;
  if (tensor == NULL) return NULL;
  if (torch.aoti_torch_get_dim(tensor, &rank) != 0 || torch.aoti_torch_get_sizes(tensor, &lengths) != 0) {
    return ThrowTorch(env, "a tensor tells no shape");
  }
  napi_create_array_with_length(env, rank, &made);
  for (int64_t axis = 0; axis < rank; axis++) {
    napi_create_int64(env, lengths[axis], &length);
    napi_set_element(env, made, axis, length);
  }
  return made;
}

static napi_value IsContiguous(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  TorchTensor tensor = TensorOf(env, arguments[0]);
  bool isContiguous = false;
  napi_value made = NULL;
  if (tensor == NULL) return NULL;
  if (torch.aoti_torch_is_contiguous(tensor, &isContiguous) != 0) return ThrowTorch(env, "a tensor tells no strides");
  napi_get_boolean(env, isContiguous, &made);
  return made;
}

/* free(tensor): the last use of its number. */
static napi_value Free(napi_env env, napi_callback_info info) {
  ARGUMENTS(1)
  int32_t number = -1;
  if (napi_get_value_int32(env, arguments[0], &number) != napi_ok || !FreeTensor(number)) {
    napi_throw_range_error(env, NULL, "no tensor has this number");
  }
  return NULL;
}

/* fill(tensor, value): in place. The dispatcher takes no scalars, so this and subtract are called by functions of their own. */
static napi_value Fill(napi_env env, napi_callback_info info) {
  ARGUMENTS(2)
  TorchTensor tensor = TensorOf(env, arguments[0]);
  double value;
  if (tensor == NULL || napi_get_value_double(env, arguments[1], &value) != napi_ok) return NULL;
  if (torch.aoti_torch_aten_fill__Scalar(tensor, value) != 0) return ThrowTorch(env, "a tensor can't be filled");
  return NULL;
}

/* subtract(a, b, factor) → a − factor·b; of floats. */
static napi_value Subtract(napi_env env, napi_callback_info info) {
  ARGUMENTS(3)
  TorchTensor a = TensorOf(env, arguments[0]), b, made = NULL;
  double factor;
  if (a == NULL || (b = TensorOf(env, arguments[1])) == NULL ||
      napi_get_value_double(env, arguments[2], &factor) != napi_ok) {
    return NULL;
  }
  if (torch.aoti_torch_aten_subtract_Tensor(a, b, factor, &made) != 0) return ThrowTorch(env, "aten::subtract");
  return NumberOf(env, made);
}

static napi_value Count(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value made = NULL;
  napi_create_int32(env, CountTensors(), &made);
  return made;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"open", Open},           {"find", Find},
      {"useDevice", UseDevice}, {"cudaDevices", CudaDevices},
      {"setThreads", SetThreads}, {"allowTf32", AllowTf32},
      {"compileCuda", CompileCuda}, {"define", DefineOperation}, {"call", CallOperation},
      {"empty", Empty},         {"constant", Constant}, {"write", WriteTensor},
      {"read", ReadTensor},     {"view", View},
      {"beginRead", BeginRead}, {"endRead", EndRead},
      {"shape", GetShape},      {"isContiguous", IsContiguous},
      {"fill", Fill},           {"subtract", Subtract},
      {"free", Free},           {"count", Count},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function) != napi_ok ||
        napi_set_named_property(env, exports, functions[i].name, function) != napi_ok) {
      napi_throw_error(env, NULL, "the binding to PyTorch can't be set up");
    }
  }
  return exports;
}
