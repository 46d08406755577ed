// The functions of libtorch that the binding calls, declared by us: its stable C interface (aoti_torch_*, torch_*) and three
// settings of its C++ interface. They are looked up by name when the library is loaded, so nothing is linked.
#ifndef KAFSCOPE_TORCH_API_H
#define KAFSCOPE_TORCH_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An owned reference to a tensor. */
typedef struct TorchTensorObject *TorchTensor;
typedef struct TorchListObject *TorchList;
typedef struct TorchGuardObject *TorchGuard;

/* What the dispatcher takes and gives: a number's bits, or a pointer. Handed-over tensors and lists are consumed. */
typedef uint64_t TorchValue;

/* 0 where it went well. */
typedef int32_t TorchStatus;

/* X(returned type, name, parameters): every release from 2.11 on has these. */
#define TORCH_FUNCTIONS(X)                                                                                             \
  X(uint64_t, aoti_torch_abi_version, (void))                                                                          \
  X(int32_t, aoti_torch_device_type_cpu, (void))                                                                       \
  X(int32_t, aoti_torch_device_type_cuda, (void))                                                                      \
  X(int32_t, aoti_torch_device_type_mps, (void))                                                                       \
  X(int32_t, aoti_torch_device_type_xpu, (void))                                                                       \
  X(int32_t, aoti_torch_dtype_float32, (void))                                                                         \
  X(int32_t, aoti_torch_dtype_float64, (void))                                                                         \
  X(int32_t, aoti_torch_dtype_int32, (void))                                                                           \
  X(int32_t, aoti_torch_dtype_int64, (void))                                                                           \
  X(int32_t, aoti_torch_dtype_bool, (void))                                                                            \
  X(size_t, aoti_torch_dtype_element_size, (int32_t dtype))                                                            \
  X(int32_t, aoti_torch_memory_format_contiguous_format, (void))                                                       \
  X(int32_t, aoti_torch_memory_format_channels_last, (void))                                                           \
  X(void, aoti_torch_grad_mode_set_enabled, (bool isEnabled))                                                          \
  X(TorchStatus, aoti_torch_create_device_guard, (int32_t index, TorchGuard *made))                                    \
  X(TorchStatus, aoti_torch_delete_tensor_object, (TorchTensor tensor))                                                \
  X(TorchStatus, aoti_torch_new_tensor_handle, (TorchTensor tensor, TorchTensor *made))                                \
  X(TorchStatus, aoti_torch_get_data_ptr, (TorchTensor tensor, void **data))                                           \
  X(TorchStatus, aoti_torch_get_dim, (TorchTensor tensor, int64_t *rank))                                              \
  X(TorchStatus, aoti_torch_get_numel, (TorchTensor tensor, int64_t *size))                                            \
  X(TorchStatus, aoti_torch_get_sizes, (TorchTensor tensor, int64_t **sizes))                                          \
  X(TorchStatus, aoti_torch_get_dtype, (TorchTensor tensor, int32_t *dtype))                                           \
  X(TorchStatus, aoti_torch_is_contiguous, (TorchTensor tensor, bool *isContiguous))                                   \
  X(TorchStatus, aoti_torch_get_storage_offset, (TorchTensor tensor, int64_t *offset))                                 \
  X(TorchStatus, aoti_torch_empty_strided,                                                                             \
    (int64_t rank, const int64_t *sizes, const int64_t *strides, int32_t dtype, int32_t device, int32_t index,         \
     TorchTensor *made))                                                                                               \
  X(TorchStatus, aoti_torch_create_tensor_from_blob,                                                                   \
    (void *data, int64_t rank, const int64_t *sizes, const int64_t *strides, int64_t offset, int32_t dtype,            \
     int32_t device, int32_t index, TorchTensor *made))                                                                \
  X(TorchStatus, aoti_torch__reinterpret_tensor,                                                                       \
    (TorchTensor tensor, int64_t rank, const int64_t *sizes, const int64_t *strides, int64_t offset,                   \
     TorchTensor *made))                                                                                               \
  X(TorchStatus, aoti_torch_copy_, (TorchTensor target, TorchTensor source, int32_t isAsynchronous))                   \
  X(TorchStatus, aoti_torch_aten_fill__Scalar, (TorchTensor tensor, double value))                                     \
  X(TorchStatus, aoti_torch_aten_subtract_Tensor,                                                                      \
    (TorchTensor minuend, TorchTensor subtrahend, double factor, TorchTensor *made))                                   \
  X(TorchStatus, torch_call_dispatcher,                                                                                \
    (const char *name, const char *overload, TorchValue *stack, uint64_t builtFor))                                    \
  X(TorchStatus, torch_new_list_reserve_size, (size_t size, TorchList *made))                                          \
  X(TorchStatus, torch_list_push_back, (TorchList list, TorchValue value))                                             \
  X(TorchStatus, torch_delete_list, (TorchList list))

/* Missing in some releases; what is asked of them is left out there, or refused. The last three are C++ functions by their linker names:
 * at::set_num_threads(int), at::globalContext(), and two setters of at::Context. */
#define OPTIONAL_TORCH_FUNCTIONS(X)                                                                                    \
  X(const char *, torch_exception_get_what_without_backtrace, (void))                                                  \
  X(TorchStatus, torch_new_stable_ivalue, (TorchValue * *made))                                                        \
  X(void, _ZN2at15set_num_threadsEi, (int count))                                                                      \
  X(void *, _ZN2at13globalContextEv, (void))                                                                           \
  X(void, _ZN2at7Context21setDeterministicCuDNNEb, (void *context, bool isOn))                                         \
  X(void, _ZN2at7Context17setAllowTF32CuDNNEb, (void *context, bool isOn))                                             \
  X(void, _ZN2at7Context18setAllowTF32CuBLASEb, (void *context, bool isOn))

#define DECLARE_FIELD(returned, name, parameters) returned(*name) parameters;
typedef struct {
  TORCH_FUNCTIONS(DECLARE_FIELD)
  OPTIONAL_TORCH_FUNCTIONS(DECLARE_FIELD)
} TorchFunctions;
#undef DECLARE_FIELD

/* What `torch_call_dispatcher` is told of us: the interface is used as 2.11 has it. */
#define BUILT_FOR ((UINT64_C(2) << 56) | (UINT64_C(11) << 48))

#endif
