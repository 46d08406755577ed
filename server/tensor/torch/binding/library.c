#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

TorchFunctions torch;
TorchDevice device;

/* With its symbols in sight of the libraries opened after it, as Python does for libraries that find one another by name. */
const char *OpenLibrary(const char *path) { return dlopen(path, RTLD_NOW | RTLD_GLOBAL) == NULL ? dlerror() : NULL; }

const char *FindFunctions(void) {
#define FIND(returned, name, parameters) torch.name = (returned(*) parameters)dlsym(RTLD_DEFAULT, #name);
#define CHECK(returned, name, parameters)                                                                              \
  if (torch.name == NULL) return #name;
  TORCH_FUNCTIONS(FIND)
  OPTIONAL_TORCH_FUNCTIONS(FIND)
  TORCH_FUNCTIONS(CHECK)
#undef FIND
#undef CHECK
  device.type = torch.aoti_torch_device_type_cpu();
  return NULL;
}

TorchValue *NewOptional(TorchValue value) {
  TorchValue *made = NULL;
  if (torch.torch_new_stable_ivalue != NULL) {
    if (torch.torch_new_stable_ivalue(&made) != 0) return NULL;
  } else {
    // Before 2.13 the caller makes it itself, by C++'s `operator new`.
    static void *(*allocate)(size_t);
    if (allocate == NULL) allocate = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "_Znwm");
    if (allocate == NULL) return NULL;
    made = allocate(sizeof *made);
  }
  *made = value;
  return made;
}

bool IsOnHost(void) { return device.type == torch.aoti_torch_device_type_cpu(); }

const char *LastWords(void) {
  if (torch.torch_exception_get_what_without_backtrace == NULL) return "";
  static char line[300];
  const char *words = torch.torch_exception_get_what_without_backtrace();
  if (words == NULL) return "";
  // The first line; what follows are lists for PyTorch's own developers.
  snprintf(line, sizeof line, "%.*s", (int)strcspn(words, "\n"), words);
  return line;
}
