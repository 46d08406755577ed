// Which devices there are, which one is in use, and how exactly it computes.
#ifndef KAFSCOPE_TORCH_DEVICES_H
#define KAFSCOPE_TORCH_DEVICES_H

#include <node_api.h>

/* useDevice('cpu' | 'cuda' | 'mps' | 'xpu', index): tensors are made there from now on. Throws where it can't be used. */
napi_value UseDevice(napi_env env, napi_callback_info info);

/* cudaDevices() → [{name, totalBytes}], as NVIDIA's driver tells; empty where there is none. */
napi_value CudaDevices(napi_env env, napi_callback_info info);

/* setThreads(count): of the CPU. Does nothing where this release has no such function. */
napi_value SetThreads(napi_env env, napi_callback_info info);

/* allowTf32(isAllowed): whether convolutions and products on CUDA may round to TF32; also asks for deterministic algorithms. False where
 * this release can't be told. */
napi_value AllowTf32(napi_env env, napi_callback_info info);

#endif
