#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "slots.h"

enum { LONGEST_NAME = 64, MOST_PARAMETERS = 24, MOST_OPERATIONS = 512 };

typedef struct {
  char name[LONGEST_NAME];
  char overload[LONGEST_NAME];
  char signature[2 * MOST_PARAMETERS];
  uint32_t nResults;
} Operation;

static Operation operations[MOST_OPERATIONS];
static uint32_t nOperations;

napi_value DefineOperation(napi_env env, napi_callback_info info) {
  size_t nArguments = 4;
  napi_value arguments[4], number = NULL;
  if (nOperations == MOST_OPERATIONS) return napi_throw_range_error(env, NULL, "too many operators"), NULL;
  Operation *operation = &operations[nOperations];
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments != 4 ||
      napi_get_value_string_utf8(env, arguments[0], operation->name, LONGEST_NAME, NULL) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[1], operation->overload, LONGEST_NAME, NULL) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[2], operation->signature, sizeof operation->signature, NULL) != napi_ok ||
      napi_get_value_uint32(env, arguments[3], &operation->nResults) != napi_ok) {
    napi_throw_type_error(env, NULL, "define: expected a name, an overload, a signature and a count");
    return NULL;
  }
  napi_create_uint32(env, nOperations++, &number);
  return number;
}

static bool ValueOf(napi_env env, char kind, napi_value argument, TorchValue *made);

/* The list is given over with the value. */
static bool ListOf(napi_env env, char kind, napi_value argument, TorchValue *made) {
  uint32_t length = 0;
  TorchList list = NULL;
  if (napi_get_array_length(env, argument, &length) != napi_ok) return false;
  if (torch.torch_new_list_reserve_size(length, &list) != 0) return false;
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    TorchValue value;
    if (napi_get_element(env, argument, i, &element) != napi_ok || !ValueOf(env, kind, element, &value) ||
        torch.torch_list_push_back(list, value) != 0) {
      torch.torch_delete_list(list);
      return false;
    }
  }
  *made = (TorchValue)(uintptr_t)list;
  return true;
}

static bool ValueOf(napi_env env, char kind, napi_value argument, TorchValue *made) {
  *made = 0;
  switch (kind) {
    case 't': {
      TorchTensor tensor = TensorOf(env, argument), shared = NULL;
      if (tensor == NULL || torch.aoti_torch_new_tensor_handle(tensor, &shared) != 0) return false;
      *made = (TorchValue)(uintptr_t)shared;
      return true;
    }
    case 'i':
      return napi_get_value_int64(env, argument, (int64_t *)made) == napi_ok;
    case 'f': {
      double number;
      if (napi_get_value_double(env, argument, &number) != napi_ok) return false;
      memcpy(made, &number, sizeof number);
      return true;
    }
    case 'b': {
      bool isTrue;
      if (napi_get_value_bool(env, argument, &isTrue) != napi_ok) return false;
      *made = isTrue;
      return true;
    }
    case 'd':
    case 'm': {
      int32_t code;
      if (napi_get_value_int32(env, argument, &code) != napi_ok) return false;
      memcpy(made, &code, sizeof code);
      return true;
    }
    case 'L':
      return ListOf(env, 't', argument, made);
    case 'I':
      return ListOf(env, 'i', argument, made);
    case 'B':
      return ListOf(env, 'b', argument, made);
    default:
      return false;
  }
}

static bool OptionalOf(napi_env env, char kind, napi_value argument, TorchValue *made) {
  napi_valuetype type;
  *made = 0;
  if (napi_typeof(env, argument, &type) != napi_ok) return false;
  if (type == napi_null || type == napi_undefined) return true;
  TorchValue value;
  if (!ValueOf(env, kind, argument, &value)) return false;
  TorchValue *optional = NewOptional(value);
  *made = (TorchValue)(uintptr_t)optional;
  return optional != NULL;
}

/* What was made of the first arguments is freed where a later one does not fit. Of optional ones the few that were given are kept. */
static void FreeValues(const char *signature, const TorchValue *stack, size_t nValues) {
  const char *letter = signature;
  for (size_t i = 0; i < nValues; i++, letter++) {
    if (*letter == '?') {
      letter++;
    } else if (*letter == 't') {
      torch.aoti_torch_delete_tensor_object((TorchTensor)(uintptr_t)stack[i]);
    } else if (*letter == 'L' || *letter == 'I' || *letter == 'B') {
      torch.torch_delete_list((TorchList)(uintptr_t)stack[i]);
    }
  }
}

static napi_value ThrowAt(napi_env env, const Operation *operation, const char *what) {
  bool isThrown = false;
  napi_is_exception_pending(env, &isThrown);
  if (isThrown) return NULL;
  char text[2 * LONGEST_NAME + 64];
  snprintf(text, sizeof text, "%s.%s: %s", operation->name, operation->overload, what);
  return ThrowTorch(env, text);
}

napi_value CallOperation(napi_env env, napi_callback_info info) {
  size_t nArguments = MOST_PARAMETERS + 1;
  napi_value arguments[MOST_PARAMETERS + 1];
  uint32_t number = 0;
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments < 1 ||
      nArguments > MOST_PARAMETERS + 1 || napi_get_value_uint32(env, arguments[0], &number) != napi_ok ||
      number >= nOperations) {
    napi_throw_type_error(env, NULL, "call: expected the number of an operator and its arguments");
    return NULL;
  }
  const Operation *operation = &operations[number];
  TorchValue stack[MOST_PARAMETERS + 8] = {0};
  size_t nValues = 0, next = 1;
  for (const char *letter = operation->signature; *letter != '\0'; letter++, nValues++) {
    if (*letter == '_') continue;
    bool isOptional = *letter == '?';
    if (isOptional) letter++;
    if (next >= nArguments || !(isOptional ? OptionalOf : ValueOf)(env, *letter, arguments[next++], &stack[nValues])) {
      FreeValues(operation->signature, stack, nValues);
      return ThrowAt(env, operation, "an argument is missing or does not fit");
    }
  }
  if (next != nArguments) {
    FreeValues(operation->signature, stack, nValues);
    return ThrowAt(env, operation, "too many arguments");
  }
  if (torch.torch_call_dispatcher(operation->name, operation->overload, stack, BUILT_FOR) != 0) {
    return ThrowAt(env, operation, "PyTorch refused");
  }
  if (operation->nResults == 1) return NumberOf(env, (TorchTensor)(uintptr_t)stack[0]);
  napi_value results;
  if (napi_create_array_with_length(env, operation->nResults, &results) != napi_ok) return NULL;
  for (uint32_t i = 0; i < operation->nResults; i++) {
    TorchTensor tensor = (TorchTensor)(uintptr_t)stack[i];
    napi_value value;
    // A result that was not asked for may be none.
    if (tensor == NULL) {
      napi_get_null(env, &value);
    } else {
      value = NumberOf(env, tensor);
    }
    if (value == NULL || napi_set_element(env, results, i, value) != napi_ok) return NULL;
  }
  return results;
}
