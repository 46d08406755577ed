#include "nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct NvrtcProgramObject *NvrtcProgram;

/* The part of NVRTC's interface that is called; 0 is success. */
static struct {
  int (*create)(NvrtcProgram *, const char *source, const char *name, int nHeaders, const char *const *headers,
                const char *const *names);
  int (*compile)(NvrtcProgram, int nOptions, const char *const *options);
  int (*getLogSize)(NvrtcProgram, size_t *);
  int (*getLog)(NvrtcProgram, char *);
  int (*getPtxSize)(NvrtcProgram, size_t *);
  int (*getPtx)(NvrtcProgram, char *);
  int (*destroy)(NvrtcProgram *);
} nvrtc;

static const char *OpenNvrtc(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return dlerror();
  *(void **)&nvrtc.create = dlsym(library, "nvrtcCreateProgram");
  *(void **)&nvrtc.compile = dlsym(library, "nvrtcCompileProgram");
  *(void **)&nvrtc.getLogSize = dlsym(library, "nvrtcGetProgramLogSize");
  *(void **)&nvrtc.getLog = dlsym(library, "nvrtcGetProgramLog");
  *(void **)&nvrtc.getPtxSize = dlsym(library, "nvrtcGetPTXSize");
  *(void **)&nvrtc.getPtx = dlsym(library, "nvrtcGetPTX");
  *(void **)&nvrtc.destroy = dlsym(library, "nvrtcDestroyProgram");
  bool isWhole = nvrtc.create && nvrtc.compile && nvrtc.getLogSize && nvrtc.getLog && nvrtc.getPtxSize &&
                 nvrtc.getPtx && nvrtc.destroy;
  return isWhole ? NULL : "it is no libnvrtc";
}

/* Text on the heap; NULL where it is none. */
static char *TextOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text != NULL) napi_get_value_string_utf8(env, value, text, length + 1, NULL);
  return text;
}

/* A text that NVRTC gives by its size and then its characters; the last is 0. */
static char *Fetch(NvrtcProgram program, int (*getSize)(NvrtcProgram, size_t *), int (*get)(NvrtcProgram, char *)) {
  size_t size = 0;
  if (getSize(program, &size) != 0 || size == 0) return NULL;
  char *text = malloc(size);
  if (text != NULL && get(program, text) != 0) {
    free(text);
    return NULL;
  }
  return text;
}

static napi_value Compile(napi_env env, const char *source, const char *architecture) {
  char option[64];
  snprintf(option, sizeof option, "--gpu-architecture=%s", architecture);
  // No contraction of products and sums into one: the same arithmetic wherever it is compiled.
  const char *options[] = {option, "--fmad=false"};
  NvrtcProgram program = NULL;
  napi_value made = NULL;
  if (nvrtc.create(&program, source, "kafscope.cu", 0, NULL, NULL) != 0) {
    napi_throw_error(env, NULL, "NVRTC makes no program");
    return NULL;
  }
  bool isCompiled = nvrtc.compile(program, 2, options) == 0;
  char *text = isCompiled ? Fetch(program, nvrtc.getPtxSize, nvrtc.getPtx) : Fetch(program, nvrtc.getLogSize, nvrtc.getLog);
  if (isCompiled && text != NULL) {
    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &made);
  } else {
    napi_throw_error(env, NULL, text == NULL ? "NVRTC says nothing" : text);
  }
  free(text);
  nvrtc.destroy(&program);
  return made;
}

napi_value CompileCuda(napi_env env, napi_callback_info info) {
  size_t nArguments = 3;
  napi_value arguments[3], made = NULL;
  if (napi_get_cb_info(env, info, &nArguments, arguments, NULL, NULL) != napi_ok || nArguments != 3) {
    napi_throw_type_error(env, NULL, "compileCuda: expected a path, a source and an architecture");
    return NULL;
  }
  char *path = TextOf(env, arguments[0]), *source = TextOf(env, arguments[1]), *architecture = TextOf(env, arguments[2]);
  if (path == NULL || source == NULL || architecture == NULL) {
    napi_throw_type_error(env, NULL, "compileCuda: expected three texts");
  } else {
    const char *fault = OpenNvrtc(path);
    if (fault != NULL) {
      napi_throw_error(env, NULL, fault);
    } else {
      made = Compile(env, source, architecture);
    }
  }
  free(path);
  free(source);
  free(architecture);
  return made;
}
