// A Node addon with one function: open(path) loads a shared library whose symbols every library loaded after it sees.
// process.dlopen can't do this: it unloads what is no addon, and TensorFlow does not survive being unloaded.
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include <node_api.h>

enum { LONGEST_PATH = 4096 };

/* TensorFlow greets on standard error as it is loaded, before it reads the variables that quiet it. Standard error is off for
 * that long; what goes wrong is told by dlerror. */
static void *OpenQuietly(const char *path) {
  int errors = dup(STDERR_FILENO);
  int nowhere = open("/dev/null", O_WRONLY);
  if (errors >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
  if (errors >= 0) dup2(errors, STDERR_FILENO);
  if (errors >= 0) close(errors);
  if (nowhere >= 0) close(nowhere);
  return library;
}

/* Throws the loader's own words where the library, or one that it needs, can't be loaded. */
static napi_value OpenLibrary(napi_env env, napi_callback_info info) {
  size_t nArguments = 1;
  napi_value argument;
  size_t length = 0;
  char path[LONGEST_PATH];
  if (napi_get_cb_info(env, info, &nArguments, &argument, NULL, NULL) != napi_ok || nArguments != 1 ||
      napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok || length == sizeof path - 1) {
    napi_throw_type_error(env, NULL, "open: expected one path of fewer than 4095 bytes");
    return NULL;
  }
  if (OpenQuietly(path) == NULL) napi_throw_error(env, NULL, dlerror());
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value open;
  if (napi_create_function(env, "open", NAPI_AUTO_LENGTH, OpenLibrary, NULL, &open) != napi_ok ||
      napi_set_named_property(env, exports, "open", open) != napi_ok) {
    napi_throw_error(env, NULL, "openLibrary can't be set up");
  }
  return exports;
}
