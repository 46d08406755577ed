// CUDA C to PTX, by NVIDIA's compiler at run time.
#ifndef KAFSCOPE_TORCH_NVRTC_H
#define KAFSCOPE_TORCH_NVRTC_H

#include <node_api.h>

/* compileCuda(path of libnvrtc, source, architecture like "compute_80") → PTX, text. Throws the compiler's own words. */
napi_value CompileCuda(napi_env env, napi_callback_info info);

#endif
