// Operators of PyTorch by name, called through its dispatcher.
#ifndef KAFSCOPE_TORCH_OPERATIONS_H
#define KAFSCOPE_TORCH_OPERATIONS_H

#include <node_api.h>

/* define(name, overload, signature, count of results) → the operator's number. Each letter of the signature is a parameter:
 *   t tensor · L list of tensors · i integer · f number · b boolean · I list of integers · B list of booleans · d dtype · m memory format
 *   _ an optional one left out, which takes no argument; ? before a letter: optional, null leaves it out. */
napi_value DefineOperation(napi_env env, napi_callback_info info);

/* call(operator, ...arguments) → the number of the resulting tensor, or an array of numbers where there are several. */
napi_value CallOperation(napi_env env, napi_callback_info info);

#endif
