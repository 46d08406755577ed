// The part of TensorFlow's C interface that tfjs-node's binding calls, declared by hand: nothing of TensorFlow is needed to compile
// it, and a library that lacks a function says so when the binding is loaded. Numbers and types are those of TensorFlow 2.16 to
// 2.21 (the interface is kept stable). What the library returns stays opaque: it alone makes, reads and frees it.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

// Element types and kinds of attributes that have a kernel or an export in the binding; others pass through as their number.
enum TF_DataType : unsigned {
  TF_FLOAT = 1,
  TF_INT32 = 3,
  TF_UINT8 = 4,
  TF_STRING = 7,
  TF_COMPLEX64 = 8,
  TF_INT64 = 9,
  TF_BOOL = 10,
  TF_RESOURCE = 20
};
enum TF_AttrType : unsigned {
  TF_ATTR_STRING,
  TF_ATTR_INT,
  TF_ATTR_FLOAT,
  TF_ATTR_BOOL,
  TF_ATTR_TYPE,
  TF_ATTR_SHAPE
};
// Anything but OK is an error, which TF_Message puts into words.
enum TF_Code : unsigned { TF_OK = 0 };

const char *TF_Version(void);
size_t TF_DataTypeSize(TF_DataType);

// --- status: where a call says whether it went well

struct TF_Status;
TF_Status *TF_NewStatus(void);
void TF_DeleteStatus(TF_Status *);
TF_Code TF_GetCode(const TF_Status *);
const char *TF_Message(const TF_Status *);

// --- tensors in the host's memory; sizes in bytes

struct TF_Tensor;
// Takes `data` as it lies, and hands it to `release` with `context` when the tensor is gone.
TF_Tensor *TF_NewTensor(TF_DataType, const int64_t *shape, int rank, void *data, size_t size,
                        void (*release)(void *data, size_t size, void *context), void *context);
TF_Tensor *TF_AllocateTensor(TF_DataType, const int64_t *shape, int rank, size_t size);
void TF_DeleteTensor(TF_Tensor *);
TF_DataType TF_TensorType(const TF_Tensor *);
int TF_NumDims(const TF_Tensor *);
int64_t TF_Dim(const TF_Tensor *, int axis);
int64_t TF_TensorElementCount(const TF_Tensor *);
size_t TF_TensorByteSize(const TF_Tensor *);
void *TF_TensorData(const TF_Tensor *);

// --- elements of a TF_STRING tensor: 24 bytes on every 64-bit machine, which only the library looks into

struct TF_TString {
  uint64_t words[3];
};
void TF_StringInit(TF_TString *);
void TF_StringCopy(TF_TString *, const char *bytes, size_t size);
const char *TF_StringGetDataPointer(const TF_TString *);
size_t TF_StringGetSize(const TF_TString *);
void TF_StringDealloc(TF_TString *);

// --- devices and the context in which operations run

struct TFE_ContextOptions;
TFE_ContextOptions *TFE_NewContextOptions(void);
void TFE_DeleteContextOptions(TFE_ContextOptions *);

struct TFE_Context;
TFE_Context *TFE_NewContext(const TFE_ContextOptions *, TF_Status *);
void TFE_DeleteContext(TFE_Context *);

struct TF_DeviceList;
TF_DeviceList *TFE_ContextListDevices(TFE_Context *, TF_Status *);
void TF_DeleteDeviceList(TF_DeviceList *);
int TF_DeviceListCount(const TF_DeviceList *);
const char *TF_DeviceListName(const TF_DeviceList *, int index, TF_Status *);
const char *TF_DeviceListType(const TF_DeviceList *, int index, TF_Status *);

// --- tensors on a device

struct TFE_TensorHandle;
TFE_TensorHandle *TFE_NewTensorHandle(const TF_Tensor *, TF_Status *);
void TFE_DeleteTensorHandle(TFE_TensorHandle *);
TF_DataType TFE_TensorHandleDataType(TFE_TensorHandle *);
int TFE_TensorHandleNumDims(TFE_TensorHandle *, TF_Status *);
int64_t TFE_TensorHandleDim(TFE_TensorHandle *, int axis, TF_Status *);
TFE_TensorHandle *TFE_TensorHandleCopyToDevice(TFE_TensorHandle *, TFE_Context *, const char *device, TF_Status *);
// Waits until the values are there.
TF_Tensor *TFE_TensorHandleResolve(TFE_TensorHandle *, TF_Status *);

// --- one operation: named, given its inputs and attributes, executed

struct TFE_Op;
TFE_Op *TFE_NewOp(TFE_Context *, const char *type, TF_Status *);
void TFE_DeleteOp(TFE_Op *);
void TFE_OpAddInput(TFE_Op *, TFE_TensorHandle *, TF_Status *);
void TFE_OpSetAttrString(TFE_Op *, const char *name, const void *bytes, size_t size);
void TFE_OpSetAttrInt(TFE_Op *, const char *name, int64_t);
void TFE_OpSetAttrFloat(TFE_Op *, const char *name, float);
void TFE_OpSetAttrBool(TFE_Op *, const char *name, unsigned char);
void TFE_OpSetAttrType(TFE_Op *, const char *name, TF_DataType);
void TFE_OpSetAttrShape(TFE_Op *, const char *name, const int64_t *shape, int rank, TF_Status *);
void TFE_OpSetAttrIntList(TFE_Op *, const char *name, const int64_t *values, int count);
void TFE_OpSetAttrFloatList(TFE_Op *, const char *name, const float *values, int count);
void TFE_OpSetAttrBoolList(TFE_Op *, const char *name, const unsigned char *values, int count);
// `*count` is the room for results before, their number after.
void TFE_Execute(TFE_Op *, TFE_TensorHandle **results, int *count, TF_Status *);

// --- saved models: Kafscope loads none, but the binding must find these

struct TF_Buffer;
TF_Buffer *TF_NewBuffer(void);
TF_Buffer *TF_NewBufferFromString(const void *bytes, size_t size);
void TF_DeleteBuffer(TF_Buffer *);

struct TF_Graph;
struct TF_Operation;
TF_Graph *TF_NewGraph(void);
void TF_DeleteGraph(TF_Graph *);
TF_Operation *TF_GraphOperationByName(TF_Graph *, const char *name);

struct TF_SessionOptions;
TF_SessionOptions *TF_NewSessionOptions(void);
void TF_DeleteSessionOptions(TF_SessionOptions *);

struct TF_Output {
  TF_Operation *oper;
  int index;
};
struct TF_Session;
TF_Session *TF_LoadSessionFromSavedModel(const TF_SessionOptions *, const TF_Buffer *runOptions, const char *folder,
                                         const char *const *tags, int tagCount, TF_Graph *, TF_Buffer *metagraph,
                                         TF_Status *);
void TF_SessionRun(TF_Session *, const TF_Buffer *runOptions, const TF_Output *inputs, TF_Tensor *const *inputValues,
                   int inputCount, const TF_Output *outputs, TF_Tensor **outputValues, int outputCount,
                   const TF_Operation *const *targets, int targetCount, TF_Buffer *metadata, TF_Status *);
void TF_DeleteSession(TF_Session *, TF_Status *);

}  // extern "C"

// What the binding calls for strings are functions of TensorFlow's headers, written there; the library's own do the same.
inline void TF_TString_Init(TF_TString *text) { TF_StringInit(text); }
inline void TF_TString_Copy(TF_TString *text, const char *bytes, size_t size) { TF_StringCopy(text, bytes, size); }
inline const char *TF_TString_GetDataPointer(const TF_TString *text) { return TF_StringGetDataPointer(text); }
inline size_t TF_TString_GetSize(const TF_TString *text) { return TF_StringGetSize(text); }
inline void TF_TString_Dealloc(TF_TString *text) { TF_StringDealloc(text); }
