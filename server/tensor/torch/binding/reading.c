#define _GNU_SOURCE
#include "reading.h"

#include <dlfcn.h>
#include <string.h>

#include "library.h"
#include "slots.h"

/* The bytes of a typed array; throws where they are not as many as expected. */
static bool BytesOf(napi_env env, napi_value array, size_t expected, void **data) {
  napi_typedarray_type type;
  size_t length = 0, offset;
  napi_value buffer;
  if (napi_get_typedarray_info(env, array, &type, &length, data, &buffer, &offset) != napi_ok) {
    napi_throw_type_error(env, NULL, "expected a typed array");
    return false;
  }
  bool isWide = type == napi_float32_array || type == napi_int32_array;
  size_t width = isWide ? 4 : 1;
  if (length * width == expected) return true;
  napi_throw_range_error(env, NULL, "the array's size is not the tensor's");
  return false;
}

typedef enum { TO_DEVICE, TO_HOST, TO_HOST_LATER } Way;

/* Copies between a tensor and memory of ours, in row-major order; waits for the device unless it is to be done later. */
static bool CopyHost(TorchTensor tensor, void *data, Way way) {
  int64_t rank = 0, *lengths = NULL;
  int32_t dtype = 0;
  if (torch.aoti_torch_get_dim(tensor, &rank) != 0 || torch.aoti_torch_get_sizes(tensor, &lengths) != 0 ||
      torch.aoti_torch_get_dtype(tensor, &dtype) != 0) {
    return false;
  }
  Shape shape = {.rank = rank};
  memcpy(shape.lengths, lengths, rank * sizeof *lengths);
  if (SizeOf(&shape) == 0) return true;
  Shape strides = StridesOf(&shape);
  TorchTensor host = NULL;
  if (torch.aoti_torch_create_tensor_from_blob(data, rank, shape.lengths, strides.lengths, 0, dtype,
                                               torch.aoti_torch_device_type_cpu(), 0, &host) != 0) {
    return false;
  }
  TorchStatus status = way == TO_DEVICE ? torch.aoti_torch_copy_(tensor, host, 0)
                                        : torch.aoti_torch_copy_(host, tensor, way == TO_HOST_LATER);
  torch.aoti_torch_delete_tensor_object(host);
  return status == 0;
}

/* False, and something is thrown, where a tensor does not tell. */
static bool SizeBytesOf(napi_env env, TorchTensor tensor, size_t *sizeBytes) {
  int64_t size = 0;
  int32_t dtype = 0;
  if (torch.aoti_torch_get_numel(tensor, &size) != 0 || torch.aoti_torch_get_dtype(tensor, &dtype) != 0) {
    ThrowTorch(env, "a tensor tells no size");
    return false;
  }
  *sizeBytes = size * torch.aoti_torch_dtype_element_size(dtype);
  return true;
}

static napi_value CopyArray(napi_env env, napi_callback_info info, Way way) {
  size_t nArguments = 2, sizeBytes;
  napi_value arguments[2];
  void *data = NULL;
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments != 2) {
    napi_throw_type_error(env, NULL, "expected a tensor and an array");
    return NULL;
  }
  TorchTensor tensor = TensorOf(env, arguments[0]);
  if (tensor == NULL || !SizeBytesOf(env, tensor, &sizeBytes) || !BytesOf(env, arguments[1], sizeBytes, &data)) return NULL;
  if (!CopyHost(tensor, data, way)) return ThrowTorch(env, "a tensor can't be copied");
  return NULL;
}

napi_value WriteTensor(napi_env env, napi_callback_info info) { return CopyArray(env, info, TO_DEVICE); }

napi_value ReadTensor(napi_env env, napi_callback_info info) { return CopyArray(env, info, TO_HOST); }

/* The part of NVIDIA's driver interface that late readings take, and PyTorch's stream on a device, of its CUDA library. */
static struct {
  int (*cuMemHostAlloc)(void **memory, size_t bytes, unsigned flags);
  int (*cuEventCreate)(void **event, unsigned flags);
  int (*cuEventRecord)(void *event, void *stream);
  int (*cuEventSynchronize)(void *event);
  TorchStatus (*aoti_torch_get_current_cuda_stream)(int32_t index, void **stream);
} cuda;

/* CU_EVENT_DISABLE_TIMING. */
enum { EVENT_WITHOUT_TIME = 2 };

static bool FindCuda(void) {
  if (cuda.aoti_torch_get_current_cuda_stream != NULL) return true;
  dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
#define FIND(name) (*(void **)&cuda.name = dlsym(RTLD_DEFAULT, #name))
  return FIND(cuMemHostAlloc) != NULL && FIND(cuEventCreate) != NULL && FIND(cuEventRecord) != NULL &&
         FIND(cuEventSynchronize) != NULL && FIND(aoti_torch_get_current_cuda_stream) != NULL;
#undef FIND
}

/* A reading: page-locked memory, which a device writes beside the host, and an event behind the copy. Both are used again. */
typedef struct {
  void *memory;
  size_t capacity;
  size_t sizeBytes;
  void *event;
  bool isUnderWay;
} Reading;

enum { MOST_READINGS = 1024, LEAST_CAPACITY = 256 };

static Reading readings[MOST_READINGS];
static int32_t nReadings;

/* -1 where there are too many, or no memory for it. */
static int32_t ReadingFor(size_t sizeBytes) {
  for (int32_t i = 0; i < nReadings; i++) {
    // Not one so large that another would want it.
    if (!readings[i].isUnderWay && readings[i].capacity >= sizeBytes && readings[i].capacity / 4 < sizeBytes + LEAST_CAPACITY) return i;
  }
  if (nReadings == MOST_READINGS) return -1;
  Reading *made = &readings[nReadings];
  made->capacity = LEAST_CAPACITY;
  while (made->capacity < sizeBytes) made->capacity *= 2;
  if (made->event == NULL && cuda.cuEventCreate(&made->event, EVENT_WITHOUT_TIME) != 0) return -1;
  if (cuda.cuMemHostAlloc(&made->memory, made->capacity, 0) != 0) return -1;
  return nReadings++;
}

napi_value BeginRead(napi_env env, napi_callback_info info) {
  size_t nArguments = 1, sizeBytes;
  napi_value argument, made;
  void *stream = NULL;
  if (napi_get_cb_info(env, info, &nArguments, &argument, NULL, NULL) != napi_ok) return NULL;
  TorchTensor tensor = TensorOf(env, argument);
  if (tensor == NULL || !SizeBytesOf(env, tensor, &sizeBytes)) return NULL;
  napi_get_null(env, &made);
  if (!FindCuda() || cuda.aoti_torch_get_current_cuda_stream(device.index, &stream) != 0) return made;
  int32_t number = ReadingFor(sizeBytes);
  if (number < 0) return made;
  Reading *reading = &readings[number];
  if (!CopyHost(tensor, reading->memory, TO_HOST_LATER)) return ThrowTorch(env, "a tensor can't be copied");
  if (cuda.cuEventRecord(reading->event, stream) != 0) return made;
  reading->sizeBytes = sizeBytes;
  reading->isUnderWay = true;
  napi_create_int32(env, number, &made);
  return made;
}

napi_value EndRead(napi_env env, napi_callback_info info) {
  size_t nArguments = 2;
  napi_value arguments[2];
  int32_t number = -1;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments != 2 ||
      napi_get_value_int32(env, arguments[0], &number) != napi_ok || number < 0 || number >= nReadings ||
      !readings[number].isUnderWay) {
    napi_throw_range_error(env, NULL, "no reading under way has this number");
    return NULL;
  }
  Reading *reading = &readings[number];
  if (!BytesOf(env, arguments[1], reading->sizeBytes, &data)) return NULL;
  reading->isUnderWay = false;
  if (cuda.cuEventSynchronize(reading->event) != 0) {
    napi_throw_error(env, NULL, "the device has failed before a copy was done");
    return NULL;
  }
  memcpy(data, reading->memory, reading->sizeBytes);
  return NULL;
}
