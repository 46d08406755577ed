#include "devices.h"

#include <dlfcn.h>
#include <string.h>

#include "library.h"
#include "slots.h"

napi_value UseDevice(napi_env env, napi_callback_info info) {
  size_t nArguments = 2;
  napi_value arguments[2];
  char name[8] = "";
  int32_t index = 0;
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments != 2 ||
      napi_get_value_string_utf8(env, arguments[0], name, sizeof name, NULL) != napi_ok ||
      napi_get_value_int32(env, arguments[1], &index) != napi_ok) {
    napi_throw_type_error(env, NULL, "useDevice: expected a name and an index");
    return NULL;
  }
  int32_t type = strcmp(name, "cuda") == 0  ? torch.aoti_torch_device_type_cuda()
                 : strcmp(name, "mps") == 0 ? torch.aoti_torch_device_type_mps()
                 : strcmp(name, "xpu") == 0 ? torch.aoti_torch_device_type_xpu()
                                            : torch.aoti_torch_device_type_cpu();
  TorchTensor probe = NULL;
  int64_t one = 1;
  // The first tensor brings the driver up, or tells why it can't be.
  if (torch.aoti_torch_empty_strided(1, &one, &one, torch.aoti_torch_dtype_float32(), type, index, &probe) != 0) {
    return ThrowTorch(env, "no tensor can be made there");
  }
  torch.aoti_torch_delete_tensor_object(probe);
  device.type = type;
  device.index = index;
  if (index > 0) {
    // Kept for the life of the process: what operators make follows the thread's current device.
    TorchGuard guard = NULL;
    if (torch.aoti_torch_create_device_guard(index, &guard) != 0) return ThrowTorch(env, "the device can't be made current");
  }
  return NULL;
}

/* The part of NVIDIA's driver interface that tells of devices. */
typedef int (*CudaInit)(unsigned flags);
typedef int (*CudaCount)(int *count);
typedef int (*CudaName)(char *name, int length, int device);
typedef int (*CudaMemory)(size_t *bytes, int device);

napi_value CudaDevices(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value devices;
  if (napi_create_array(env, &devices) != napi_ok) return NULL;
  void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == NULL) return devices;
  CudaInit init = (CudaInit)dlsym(driver, "cuInit");
  CudaCount getCount = (CudaCount)dlsym(driver, "cuDeviceGetCount");
  CudaName getName = (CudaName)dlsym(driver, "cuDeviceGetName");
  CudaMemory getMemory = (CudaMemory)dlsym(driver, "cuDeviceTotalMem_v2");
  int count = 0;
  if (init == NULL || getCount == NULL || getName == NULL || getMemory == NULL || init(0) != 0 || getCount(&count) != 0) {
    return devices;
  }
  for (int i = 0; i < count; i++) {
    char name[256] = "";
    size_t bytes = 0;
    napi_value found, nameValue, bytesValue;
    if (getName(name, sizeof name, i) != 0 || getMemory(&bytes, i) != 0) continue;
    napi_create_object(env, &found);
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &nameValue);
    napi_create_double(env, (double)bytes, &bytesValue);
    napi_set_named_property(env, found, "name", nameValue);
    napi_set_named_property(env, found, "totalBytes", bytesValue);
    napi_set_element(env, devices, i, found);
  }
  return devices;
}

napi_value SetThreads(napi_env env, napi_callback_info info) {
  size_t nArguments = 1;
  napi_value argument;
  int32_t count = 0;
  if (napi_get_cb_info(env, info, &nArguments, &argument, NULL, NULL) != napi_ok || nArguments != 1 ||
      napi_get_value_int32(env, argument, &count) != napi_ok || count < 1) {
    napi_throw_type_error(env, NULL, "setThreads: expected a count of at least 1");
    return NULL;
  }
  if (torch._ZN2at15set_num_threadsEi != NULL) torch._ZN2at15set_num_threadsEi(count);
  return NULL;
}

napi_value AllowTf32(napi_env env, napi_callback_info info) {
  size_t nArguments = 1;
  napi_value argument, told = NULL;
  bool isAllowed = false;
  if (napi_get_cb_info(env, info, &nArguments, &argument, NULL, NULL) != napi_ok || nArguments != 1 ||
      napi_get_value_bool(env, argument, &isAllowed) != napi_ok) {
    napi_throw_type_error(env, NULL, "allowTf32: expected a boolean");
    return NULL;
  }
  bool canTell = torch._ZN2at13globalContextEv != NULL && torch._ZN2at7Context21setDeterministicCuDNNEb != NULL &&
                 torch._ZN2at7Context17setAllowTF32CuDNNEb != NULL && torch._ZN2at7Context18setAllowTF32CuBLASEb != NULL;
  if (canTell) {
    void *context = torch._ZN2at13globalContextEv();
    torch._ZN2at7Context21setDeterministicCuDNNEb(context, true);
    torch._ZN2at7Context17setAllowTF32CuDNNEb(context, isAllowed);
    torch._ZN2at7Context18setAllowTF32CuBLASEb(context, isAllowed);
  }
  napi_get_boolean(env, canTell, &told);
  return told;
}
