// libtorch in this process: loaded once, never unloaded, with the device on which tensors are made.
#ifndef KAFSCOPE_TORCH_LIBRARY_H
#define KAFSCOPE_TORCH_LIBRARY_H

#include "torchApi.h"

/* Valid after LoadLibraries. */
extern TorchFunctions torch;

typedef struct {
  int32_t type;
  int32_t index;
} TorchDevice;

/* Where tensors are made; the CPU at first. */
extern TorchDevice device;

enum { LONGEST_TEXT = 4096 };

/* Loads one shared library. Returns NULL, or the loader's own words. */
const char *OpenLibrary(const char *path);

/* Looks up every function in what was opened. Returns NULL, or the name of one that is missing. */
const char *FindFunctions(void);

/* On the heap of C++, from which the dispatcher frees it; NULL where there is no memory. */
TorchValue *NewOptional(TorchValue value);

bool IsOnHost(void);

/* Of the exception behind the last status that was not 0, in this thread; empty where this release doesn't tell. */
const char *LastWords(void);

#endif
