// Copies between tensors and the host's memory, at once and late.
#ifndef KAFSCOPE_TORCH_READING_H
#define KAFSCOPE_TORCH_READING_H

#include <node_api.h>

/* write(tensor, typed array) and read(tensor, typed array): the whole of it, in row-major order, waiting for the device. */
napi_value WriteTensor(napi_env env, napi_callback_info info);
napi_value ReadTensor(napi_env env, napi_callback_info info);

/* beginRead(tensor) → the number of a reading, or null where a device can't copy beside the host, or too many readings are under way: then it
 * is to be read at once. Copies the values as they are behind the work that the device was given so far; the tensor may be freed. */
napi_value BeginRead(napi_env env, napi_callback_info info);

/* endRead(reading, typed array): waits for the copy alone. Each reading is to be ended once; one that never is keeps its memory. */
napi_value EndRead(napi_env env, napi_callback_info info);

#endif
